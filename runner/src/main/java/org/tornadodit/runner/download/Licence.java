package org.tornadodit.runner.download;

/** Under what terms weights are published. */
public enum Licence {
    CC_BY_NC_4_0(
            "CC BY-NC 4.0",
            "Meta's DiT weights are licensed CC BY-NC 4.0: give credit, and do not use them or what they make for"
                    + " commercial purposes (https://creativecommons.org/licenses/by-nc/4.0/)."),
    MIT("MIT", "Stability AI's autoencoder is licensed MIT (https://opensource.org/license/mit).");

    private final String title;
    private final String notice;

    Licence(String title, String notice) {
        this.title = title;
        this.notice = notice;
    }

    /** Its name, as in {@code CC BY-NC 4.0}. */
    public String title() {
        return title;
    }

    /** One line for whoever fetches the weights. */
    public String notice() {
        return notice;
    }
}
