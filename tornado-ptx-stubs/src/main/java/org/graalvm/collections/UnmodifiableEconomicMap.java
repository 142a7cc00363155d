package org.graalvm.collections;

/** A map of Graal's. */
public interface UnmodifiableEconomicMap<K, V> {}
