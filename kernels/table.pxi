# TABLE: one entry a cell, that is its cimport, its wrappers and its row, side by side. Included by timeloop.pyx.
# A wrapper hands the cell's equations and its form to the inline tiles as literals: that is what compiles a tile per cell.

from kernels.cells cimport affine
cdef void affine_forward(const Run* r, long t, long row, long n) noexcept nogil:
    forward_rows(affine.forward, bare(1, 1, 0), r, t, row, n)
cdef void affine_backward(const Run* r, long t, long row, long n) noexcept nogil:
    backward_rows(affine.backward, bare(1, 1, 0), r, t, row, n)
cell("affine", "affine", "the learned merge of two directions", blocks="a", recurrent="")
stage(bare(1, 1, 0), affine_forward, affine_backward)

from kernels.cells cimport rnn
cdef void rnn_forward(const Run* r, long t, long row, long n) noexcept nogil:
    forward_rows(rnn.forward, whole(1, 1, 0), r, t, row, n)
cdef void rnn_backward(const Run* r, long t, long row, long n) noexcept nogil:
    backward_rows(rnn.backward, whole(1, 1, 0), r, t, row, n)
cell("rnn", "RNN (tanh)", "Elman 1990", blocks="a")
stage(whole(1, 1, 0), rnn_forward, rnn_backward)

from kernels.cells cimport lstm
cdef void lstm_forward(const Run* r, long t, long row, long n) noexcept nogil:
    forward_rows(lstm.forward, whole(4, 2, 0), r, t, row, n)
cdef void lstm_backward(const Run* r, long t, long row, long n) noexcept nogil:
    backward_rows(lstm.backward, whole(4, 2, 0), r, t, row, n)
cell("lstm", "LSTM", "Gers, Schmidhuber, Cummins 2000", blocks="i f g o", states="h c", retains="+f -i")
stage(whole(4, 2, 0), lstm_forward, lstm_backward)

from kernels.cells cimport peephole
cdef void peephole_forward(const Run* r, long t, long row, long n) noexcept nogil:
    forward_rows(peephole.forward, whole(4, 2, 3), r, t, row, n)
cdef void peephole_backward(const Run* r, long t, long row, long n) noexcept nogil:
    backward_rows(peephole.backward, whole(4, 2, 3), r, t, row, n)
cell("peephole", "peephole LSTM", "Gers, Schraudolph, Schmidhuber 2002; Graves 2013", blocks="i f g o", states="h c",
     peepholes="i:c' f:c' o:c", retains="+f -i")
stage(whole(4, 2, 3), peephole_forward, peephole_backward)

from kernels.cells cimport coupled
cdef void coupled_forward(const Run* r, long t, long row, long n) noexcept nogil:
    forward_rows(coupled.forward, whole(3, 2, 0), r, t, row, n)
cdef void coupled_backward(const Run* r, long t, long row, long n) noexcept nogil:
    backward_rows(coupled.backward, whole(3, 2, 0), r, t, row, n)
cell("coupled", "coupled LSTM", "i = 1 - f, without peepholes; after Greff et al. 2017", blocks="f g o", states="h c",
     retains="+f")
stage(whole(3, 2, 0), coupled_forward, coupled_backward)

from kernels.cells cimport gru
cdef inline Form gru_stage(int stage, int first, int last) noexcept nogil:
    return times(part(bare(3, 1, 0), stage, first, last, 1), OPERAND if stage else 0, first, last)
cdef void gru_forward_operand(const Run* r, long t, long row, long n) noexcept nogil:
    forward_rows(gru.forward_operand, gru_stage(0, 0, 2), r, t, row, n)
cdef void gru_forward(const Run* r, long t, long row, long n) noexcept nogil:
    forward_rows(gru.forward, gru_stage(1, 2, 3), r, t, row, n)
cdef void gru_backward_operand(const Run* r, long t, long row, long n) noexcept nogil:
    backward_rows(gru.backward_operand, gru_stage(0, 0, 2), r, t, row, n)
cdef void gru_backward(const Run* r, long t, long row, long n) noexcept nogil:
    backward_rows(gru.backward, gru_stage(1, 2, 3), r, t, row, n)
cell("gru", "GRU", "Cho et al. 2014 (final version); z as in Chung et al. 2014", blocks="z r n", retains="-z")
stage(gru_stage(0, 0, 2), gru_forward_operand, gru_backward_operand)
stage(gru_stage(1, 2, 3), gru_forward, gru_backward)

from kernels.cells cimport gru_after
cdef inline Form gru_after_form() noexcept nogil:
    return times(fed(bare(4, 1, 0), 0, 3), 0, 1, 4)
cdef void gru_after_forward(const Run* r, long t, long row, long n) noexcept nogil:
    forward_rows(gru_after.forward, gru_after_form(), r, t, row, n)
cdef void gru_after_backward(const Run* r, long t, long row, long n) noexcept nogil:
    backward_rows(gru_after.backward, gru_after_form(), r, t, row, n)
cell("gru_after", "GRU, reset after", "Cho et al. 2014 (first version); cuDNN, PyTorch", blocks="n z r u",
     inputs="n z r", recurrent="z r u", retains="+z")
stage(gru_after_form(), gru_after_forward, gru_after_backward)

from kernels.cells cimport rnn_relu
cdef void rnn_relu_forward(const Run* r, long t, long row, long n) noexcept nogil:
    forward_rows(rnn_relu.forward, whole(1, 1, 0), r, t, row, n)
cdef void rnn_relu_backward(const Run* r, long t, long row, long n) noexcept nogil:
    backward_rows(rnn_relu.backward, whole(1, 1, 0), r, t, row, n)
cell("rnn_relu", "RNN (ReLU)", "Le, Jaitly, Hinton 2015", blocks="a")
stage(whole(1, 1, 0), rnn_relu_forward, rnn_relu_backward)

from kernels.cells cimport lstm_1997
cdef void lstm_1997_forward(const Run* r, long t, long row, long n) noexcept nogil:
    forward_rows(lstm_1997.forward, whole(3, 2, 0), r, t, row, n)
cdef void lstm_1997_backward(const Run* r, long t, long row, long n) noexcept nogil:
    backward_rows(lstm_1997.backward, whole(3, 2, 0), r, t, row, n)
cell("lstm_1997", "LSTM of 1997", "Hochreiter & Schmidhuber 1997", blocks="i g o", states="h c")
stage(whole(3, 2, 0), lstm_1997_forward, lstm_1997_backward)

from kernels.cells cimport nig
cdef void nig_forward(const Run* r, long t, long row, long n) noexcept nogil:
    forward_rows(nig.forward, whole(3, 2, 2), r, t, row, n)
cdef void nig_backward(const Run* r, long t, long row, long n) noexcept nogil:
    backward_rows(nig.backward, whole(3, 2, 2), r, t, row, n)
cell("nig", "LSTM, no input gate", "Greff et al. 2017", blocks="f g o", states="h c", peepholes="f:c' o:c", retains="+f")
stage(whole(3, 2, 2), nig_forward, nig_backward)

from kernels.cells cimport nfg
cdef void nfg_forward(const Run* r, long t, long row, long n) noexcept nogil:
    forward_rows(nfg.forward, whole(3, 2, 2), r, t, row, n)
cdef void nfg_backward(const Run* r, long t, long row, long n) noexcept nogil:
    backward_rows(nfg.backward, whole(3, 2, 2), r, t, row, n)
cell("nfg", "LSTM, no forget gate", "Greff et al. 2017", blocks="i g o", states="h c", peepholes="i:c' o:c")
stage(whole(3, 2, 2), nfg_forward, nfg_backward)

from kernels.cells cimport nog
cdef void nog_forward(const Run* r, long t, long row, long n) noexcept nogil:
    forward_rows(nog.forward, whole(3, 2, 2), r, t, row, n)
cdef void nog_backward(const Run* r, long t, long row, long n) noexcept nogil:
    backward_rows(nog.backward, whole(3, 2, 2), r, t, row, n)
cell("nog", "LSTM, no output gate", "Greff et al. 2017", blocks="i f g", states="h c", peepholes="i:c' f:c'",
     retains="+f -i")
stage(whole(3, 2, 2), nog_forward, nog_backward)

from kernels.cells cimport niaf
cdef void niaf_forward(const Run* r, long t, long row, long n) noexcept nogil:
    forward_rows(niaf.forward, whole(4, 2, 3), r, t, row, n)
cdef void niaf_backward(const Run* r, long t, long row, long n) noexcept nogil:
    backward_rows(niaf.backward, whole(4, 2, 3), r, t, row, n)
cell("niaf", "LSTM, no input activation", "Greff et al. 2017", blocks="i f g o", states="h c",
     peepholes="i:c' f:c' o:c", retains="+f -i")
stage(whole(4, 2, 3), niaf_forward, niaf_backward)

from kernels.cells cimport noaf
cdef void noaf_forward(const Run* r, long t, long row, long n) noexcept nogil:
    forward_rows(noaf.forward, whole(4, 2, 3), r, t, row, n)
cdef void noaf_backward(const Run* r, long t, long row, long n) noexcept nogil:
    backward_rows(noaf.backward, whole(4, 2, 3), r, t, row, n)
cell("noaf", "LSTM, no output activation", "Greff et al. 2017", blocks="i f g o", states="h c",
     peepholes="i:c' f:c' o:c", retains="+f -i")
stage(whole(4, 2, 3), noaf_forward, noaf_backward)

from kernels.cells cimport coupled_peephole
cdef void coupled_peephole_forward(const Run* r, long t, long row, long n) noexcept nogil:
    forward_rows(coupled_peephole.forward, whole(3, 2, 2), r, t, row, n)
cdef void coupled_peephole_backward(const Run* r, long t, long row, long n) noexcept nogil:
    backward_rows(coupled_peephole.backward, whole(3, 2, 2), r, t, row, n)
cell("coupled_peephole", "coupled peephole LSTM", "Greff et al. 2017", blocks="f g o", states="h c",
     peepholes="f:c' o:c", retains="+f")
stage(whole(3, 2, 2), coupled_peephole_forward, coupled_peephole_backward)

from kernels.cells cimport mgu
cdef inline Form mgu_stage(int stage) noexcept nogil:
    return times(part(bare(2, 1, 0), stage, stage, stage + 1, 1), OPERAND if stage else 0, stage, stage + 1)
cdef void mgu_forward_operand(const Run* r, long t, long row, long n) noexcept nogil:
    forward_rows(mgu.forward_operand, mgu_stage(0), r, t, row, n)
cdef void mgu_forward(const Run* r, long t, long row, long n) noexcept nogil:
    forward_rows(mgu.forward, mgu_stage(1), r, t, row, n)
cdef void mgu_backward_operand(const Run* r, long t, long row, long n) noexcept nogil:
    backward_rows(mgu.backward_operand, mgu_stage(0), r, t, row, n)
cdef void mgu_backward(const Run* r, long t, long row, long n) noexcept nogil:
    backward_rows(mgu.backward, mgu_stage(1), r, t, row, n)
cell("mgu", "MGU", "Zhou et al. 2016", blocks="f n", retains="-f")
stage(mgu_stage(0), mgu_forward_operand, mgu_backward_operand)
stage(mgu_stage(1), mgu_forward, mgu_backward)

from kernels.cells cimport janet
cdef void janet_forward(const Run* r, long t, long row, long n) noexcept nogil:
    forward_rows(janet.forward, whole(2, 1, 0), r, t, row, n)
cdef void janet_backward(const Run* r, long t, long row, long n) noexcept nogil:
    backward_rows(janet.backward, whole(2, 1, 0), r, t, row, n)
cell("janet", "JANET", "van der Westhuizen & Lasenby 2018", blocks="f n", retains="+f")
stage(whole(2, 1, 0), janet_forward, janet_backward)

from kernels.cells cimport fgr
cdef inline Form fgr_form() noexcept nogil:
    return times(times(times(whole(4, 5, 3), 2, 0, 3), 3, 0, 3), 4, 0, 3)
cdef void fgr_forward(const Run* r, long t, long row, long n) noexcept nogil:
    forward_rows(fgr.forward, fgr_form(), r, t, row, n)
cdef void fgr_backward(const Run* r, long t, long row, long n) noexcept nogil:
    backward_rows(fgr.backward, fgr_form(), r, t, row, n)
cell("fgr", "LSTM, full gate recurrence", "Graves et al. 2008; Greff et al. 2017", blocks="i f o g", states="h c i f o",
     peepholes="i:c' f:c' o:c", feedback="i:i f:i o:i i:f f:f o:f i:o f:o o:o", retains="+f -i")
stage(fgr_form(), fgr_forward, fgr_backward)

from kernels.cells cimport mut1
cdef inline Form mut1_operand() noexcept nogil:
    return times(part(with_x(bare(3, 1, 0)), 0, 0, 2, 1), 0, 1, 2)
cdef inline Form mut1_form() noexcept nogil:
    return times(fed(part(with_x(bare(3, 1, 0)), 1, 2, 3, 1), 2, 2), OPERAND, 2, 3)
cdef void mut1_forward_operand(const Run* r, long t, long row, long n) noexcept nogil:
    forward_rows(mut1.forward_operand, mut1_operand(), r, t, row, n)
cdef void mut1_forward(const Run* r, long t, long row, long n) noexcept nogil:
    forward_rows(mut1.forward, mut1_form(), r, t, row, n)
cdef void mut1_backward_operand(const Run* r, long t, long row, long n) noexcept nogil:
    backward_rows(mut1.backward_operand, mut1_operand(), r, t, row, n)
cdef void mut1_backward(const Run* r, long t, long row, long n) noexcept nogil:
    backward_rows(mut1.backward, mut1_form(), r, t, row, n)
cell("mut1", "MUT1", "Jozefowicz, Zaremba, Sutskever 2015", blocks="z r n", inputs="z r", recurrent="r n", direct=True,
     retains="-z")
stage(mut1_operand(), mut1_forward_operand, mut1_backward_operand)
stage(mut1_form(), mut1_forward, mut1_backward)

from kernels.cells cimport mut2
cdef inline Form mut2_operand() noexcept nogil:
    return times(fed(part(with_x(bare(3, 1, 0)), 0, 0, 2, 1), 1, 2), 0, 0, 2)
cdef inline Form mut2_form() noexcept nogil:
    return times(part(with_x(bare(3, 1, 0)), 1, 2, 3, 1), OPERAND, 2, 3)
cdef void mut2_forward_operand(const Run* r, long t, long row, long n) noexcept nogil:
    forward_rows(mut2.forward_operand, mut2_operand(), r, t, row, n)
cdef void mut2_forward(const Run* r, long t, long row, long n) noexcept nogil:
    forward_rows(mut2.forward, mut2_form(), r, t, row, n)
cdef void mut2_backward_operand(const Run* r, long t, long row, long n) noexcept nogil:
    backward_rows(mut2.backward_operand, mut2_operand(), r, t, row, n)
cdef void mut2_backward(const Run* r, long t, long row, long n) noexcept nogil:
    backward_rows(mut2.backward, mut2_form(), r, t, row, n)
cell("mut2", "MUT2", "Jozefowicz, Zaremba, Sutskever 2015", blocks="r z n", inputs="z n", direct=True, retains="-z")
stage(mut2_operand(), mut2_forward_operand, mut2_backward_operand)
stage(mut2_form(), mut2_forward, mut2_backward)

from kernels.cells cimport mut3
cdef inline Form mut3_operands() noexcept nogil:
    return times(part(bare(3, 1, 0), 0, 0, 1, 2), 0, 0, 1)
cdef inline Form mut3_form() noexcept nogil:
    return times(times(part(bare(3, 1, 0), 1, 1, 3, 2), OPERAND, 1, 2), OPERAND + 1, 2, 3)
cdef void mut3_forward_operands(const Run* r, long t, long row, long n) noexcept nogil:
    forward_rows(mut3.forward_operands, mut3_operands(), r, t, row, n)
cdef void mut3_forward(const Run* r, long t, long row, long n) noexcept nogil:
    forward_rows(mut3.forward, mut3_form(), r, t, row, n)
cdef void mut3_backward_operands(const Run* r, long t, long row, long n) noexcept nogil:
    backward_rows(mut3.backward_operands, mut3_operands(), r, t, row, n)
cdef void mut3_backward(const Run* r, long t, long row, long n) noexcept nogil:
    backward_rows(mut3.backward, mut3_form(), r, t, row, n)
cell("mut3", "MUT3", "Jozefowicz, Zaremba, Sutskever 2015", blocks="r z n", retains="-z")
stage(mut3_operands(), mut3_forward_operands, mut3_backward_operands)
stage(mut3_form(), mut3_forward, mut3_backward)
