# TABLE: one entry a cell, that is its cimport, its wrappers and its row, side by side. Included by timeloop.pyx.
# A wrapper hands the cell's equations and its form to the inline tiles as literals: that is what compiles a tile per cell.

from kernels.cells cimport affine
cdef void affine_forward(const Run* r, long t, long row, long n) noexcept nogil:
    forward_rows(affine.forward, Form(1, 1, 0, 0, 1, 0, 1, 0, 1, 0, 0), r, t, row, n)
cdef void affine_backward(const Run* r, long t, long row, long n) noexcept nogil:
    backward_rows(affine.backward, Form(1, 1, 0, 0, 1, 0, 1, 0, 1, 0, 0), r, t, row, n)
cell("affine", "affine", "the learned merge of two directions", blocks="a", recurrent="")
stage(Form(1, 1, 0, 0, 1, 0, 1, 0, 1, 0, 0), affine_forward, affine_backward)

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
    return Form(3, 1, 0, stage, 2, first, last, first, last, first, last)
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
cdef void gru_after_forward(const Run* r, long t, long row, long n) noexcept nogil:
    forward_rows(gru_after.forward, Form(4, 1, 0, 0, 1, 0, 4, 0, 3, 1, 4), r, t, row, n)
cdef void gru_after_backward(const Run* r, long t, long row, long n) noexcept nogil:
    backward_rows(gru_after.backward, Form(4, 1, 0, 0, 1, 0, 4, 0, 3, 1, 4), r, t, row, n)
cell("gru_after", "GRU, reset after", "Cho et al. 2014 (first version); cuDNN, PyTorch", blocks="n z r u",
     inputs="n z r", recurrent="z r u", retains="+z")
stage(Form(4, 1, 0, 0, 1, 0, 4, 0, 3, 1, 4), gru_after_forward, gru_after_backward)

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
    return Form(2, 1, 0, stage, 2, stage, stage + 1, stage, stage + 1, stage, stage + 1)
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
