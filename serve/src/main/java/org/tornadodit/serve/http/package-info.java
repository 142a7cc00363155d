/** HTTP: routes, who may use them, slow and vanished clients. */
@NullMarked
package org.tornadodit.serve.http;

import org.jspecify.annotations.NullMarked;
