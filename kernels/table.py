"""The cells, one row each, in the order of tables and legends; a cell's place sets its colour.

A row says what the cell's file in kernels/cells does not say; the build joins the two.

name : the file is kernels/cells/{name}.pxd
title : the label in figures and tables
source : where the equations were published
inputs : the blocks that W feeds; all blocks where missing
recurrent : the blocks that U feeds; all blocks where missing, none where empty. U multiplies h', or after a colon an operand
    ("z r n:rh") or a state of this step ("n:z"). The blocks from the first one with a colon on are the cell's second stage.
biases : the blocks with a bias; all blocks where missing
gates : the blocks that the cells of a memory cell block share; without it there are no such blocks
reads : the state that each peephole reads; "c'" is c of the step before
feedback : "i:f": a matrix R of its own leads from state f of the step before to block i
retains : the gates whose bias sets how long the cell remembers, each with the sign that lengthens the memory. A forget bias sets
    the first of them, chrono initialisation sets all.
"""

GREFF, MUT = "Greff et al. 2017", "Jozefowicz, Zaremba, Sutskever 2015"

TABLE = (
    dict(name="affine", title="affine", source="the learned merge of two directions", recurrent=""),
    dict(name="rnn", title="RNN (tanh)", source="Elman 1990"),
    dict(name="lstm", title="LSTM", source="Gers, Schmidhuber, Cummins 2000", gates="i f o", retains="+f -i"),
    dict(name="peephole", title="peephole LSTM", source="Gers, Schraudolph, Schmidhuber 2002; Graves 2013", reads="c' c' c",
         retains="+f -i"),
    dict(name="coupled", title="coupled LSTM", source="i = 1 - f, without peepholes; after Greff et al. 2017", gates="f o",
         retains="+f"),
    dict(name="gru", title="GRU", source="Cho et al. 2014 (final version); z as in Chung et al. 2014", recurrent="z r n:rh",
         retains="-z"),
    dict(name="gru_after", title="GRU, reset after", source="Cho et al. 2014 (first version); cuDNN, PyTorch", inputs="n z r",
         recurrent="z r u", retains="+z"),
    dict(name="rnn_relu", title="RNN (ReLU)", source="Le, Jaitly, Hinton 2015"),
    dict(name="lstm_1997", title="LSTM of 1997", source="Hochreiter & Schmidhuber 1997", gates="i o"),
    dict(name="nig", title="LSTM, no input gate", source=GREFF, reads="c' c", retains="+f"),
    dict(name="nfg", title="LSTM, no forget gate", source=GREFF, reads="c' c"),
    dict(name="nog", title="LSTM, no output gate", source=GREFF, reads="c' c'", retains="+f -i"),
    dict(name="niaf", title="LSTM, no input activation", source=GREFF, reads="c' c' c", retains="+f -i"),
    dict(name="noaf", title="LSTM, no output activation", source=GREFF, reads="c' c' c", retains="+f -i"),
    dict(name="coupled_peephole", title="coupled peephole LSTM", source=GREFF, reads="c' c", retains="+f"),
    dict(name="mgu", title="MGU", source="Zhou et al. 2016", recurrent="f n:fh", retains="-f"),
    dict(name="janet", title="JANET", source="van der Westhuizen & Lasenby 2018", retains="+f"),
    dict(name="fgr", title="LSTM, full gate recurrence", source=f"Graves et al. 2008; {GREFF}", reads="c' c' c",
         feedback="i:i f:i o:i i:f f:f o:f i:o f:o o:o", retains="+f -i"),
    dict(name="mut1", title="MUT1", source=MUT, inputs="z r", recurrent="r n:rh", retains="-z"),
    dict(name="mut2", title="MUT2", source=MUT, inputs="z n", recurrent="r z n:rh", retains="-z"),
    dict(name="mut3", title="MUT3", source=MUT, recurrent="r z:tanh_h n:rh", retains="-z"),
    dict(name="lstm_hs97", title="LSTM of 1997, gates fed back", source="Hochreiter & Schmidhuber 1997",
         feedback="i:i g:i o:i i:o g:o o:o", gates="i o"),
    dict(name="lstm_gers", title="LSTM of 2000", source="Gers, Schmidhuber, Cummins 2000", biases="i f o", gates="i f o",
         retains="+f -i"),
    dict(name="indrnn", title="IndRNN", source="Li et al. 2018", recurrent="", reads="h'"),
    dict(name="ugrnn", title="UGRNN", source="Collins, Sohl-Dickstein, Sussillo 2017", retains="+z"),
    dict(name="mingru", title="minGRU", source="Feng et al. 2024 (linear form)", recurrent="", retains="-z"),
    dict(name="minlstm", title="minLSTM", source="Feng et al. 2024 (linear form)", recurrent="", retains="+f -i"),
    dict(name="slstm", title="sLSTM", source="Beck et al. 2024 (NX-AI/xlstm)", retains="+f"),
    dict(name="lru", title="LRU", source="Orvieto et al. 2023", inputs="x_re x_im y_re", recurrent="y_re:q_re y_im:q_im", biases="",
         reads="q_re' q_im' q_re' q_im'"),
    dict(name="cornn", title="coRNN", source="Rusch & Mishra 2021", feedback="n:z"),
    dict(name="lem", title="LEM", source="Rusch et al. 2022", recurrent="d1 d2 z n:z", retains="-d1 -d2"),
    dict(name="mlstm_krause", title="multiplicative LSTM", source="Krause et al. 2016", inputs="wm i f g o",
         recurrent="um i:m f:m g:m o:m", biases="i f g o", retains="+f -i"),
)
