/** What requests say and answers hold, and the requests that are at work: all of the API but HTTP itself. */
@NullMarked
package org.tornadodit.serve.api;

import org.jspecify.annotations.NullMarked;
