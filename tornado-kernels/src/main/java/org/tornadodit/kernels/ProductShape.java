package org.tornadodit.kernels;

/**
 * Sizes of a product {@code out(M,N) = x(M,K) W(N,K)^T}.
 *
 * @param m rows that there is room for
 * @param n output features
 * @param k input features
 */
public record ProductShape(int m, int n, int k) {}
