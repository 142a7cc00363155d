package org.tornadodit.model.io.tensor;

import org.tornadodit.model.Shape;

/** A tensor that a model needs: PyTorch's name and shape. */
public record TensorSpec(String name, Shape shape) {}
