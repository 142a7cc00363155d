/**
 * PTX instructions that TornadoVM's API does not have, as static Java methods: tensor cores, asynchronous copies,
 * barriers, wide accesses. Their annotation holds the PTX text which the plugin of {@code tornado-ptx} hands to
 * TornadoVM's compiler; their Java body does the same on the host, so that one kernel source runs in tests and on the GPU.
 *
 * <p>The host is stricter than a GPU where a GPU gives wrong values now and then: shared memory is NaN until written
 * and while a copy to it is under way, copies arrive as late as they may, counts of barriers are exact, and a block in
 * which nobody can go on ends with who waits for what.
 *
 * <p>Source of every meaning: NVIDIA, PTX ISA 8.x, the section named like the instruction.
 */
@NullMarked
package org.tornadodit.kernels.ptx;

import org.jspecify.annotations.NullMarked;
