package org.tornadodit.model.dit;

/** The channels of the predicted noise that classifier-free guidance changes. */
public enum Guidance {
    /** The first three, as the reference does ({@code forward_with_cfg}), so that its images come out. */
    FIRST_THREE,
    /** All latent channels, as the method is defined (Ho and Salimans, arXiv 2207.12598) and diffusers does. */
    ALL;

    /** How many channels are guided of a model with {@code inChannels} latent channels. */
    public int channels(int inChannels) {
        return this == ALL ? inChannels : Math.min(3, inChannels);
    }
}
