/**
 * The report: sections made of recorded measurements, as one HTML page or as Markdown.
 */
@NullMarked
package org.tornadodit.runner.report;

import org.jspecify.annotations.NullMarked;
