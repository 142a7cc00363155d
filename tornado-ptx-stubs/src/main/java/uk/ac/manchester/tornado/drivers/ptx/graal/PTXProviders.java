package uk.ac.manchester.tornado.drivers.ptx.graal;

import jdk.graal.compiler.phases.util.Providers;

/** What a GPU's compiler needs of its surroundings. */
public abstract class PTXProviders extends Providers {
    PTXProviders(Providers providers) {
        super(providers);
    }
}
