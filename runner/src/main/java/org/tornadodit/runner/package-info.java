/**
 * The command line. {@code command}, {@code bulk}, {@code challenge}, {@code measure} and {@code report} hold the commands;
 * {@code option} what they take, {@code plan} what a sampling run will do and need, {@code output} what it writes, {@code terminal}
 * what it says and how it ends, {@code download} where published weights come from.
 */
@NullMarked
package org.tornadodit.runner;

import org.jspecify.annotations.NullMarked;
