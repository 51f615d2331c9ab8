"""Beats: where they are, the median beat, its waves, intervals and axis.

Two modules find QRS complexes, for different uses, and the quality check finds out whether there are any:

- `detection` finds all beats of a record of any length for measurements, with wfdb's XQRS (`complexes`).
- `wave_steps` finds the waves of training windows inside the network, batch by batch in tensor code, where
  XQRS cannot run. It marks steps of activation maps, about 40 ms long, instead of beats.
- `cnn_gap.signal.quality` measures how far beats stand out from the signal between them, to refuse a
  recording without a heartbeat. It runs before every prediction and needs no beat's time.
"""
