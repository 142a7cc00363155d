package uk.ac.manchester.tornado.drivers.ptx.graal;

import jdk.vm.ci.code.CodeCacheProvider;

/** Where a compiler's code goes. */
public abstract class PTXCodeProvider implements CodeCacheProvider {
    PTXCodeProvider() {}
}
