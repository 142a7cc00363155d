/** LangChain4j's {@link dev.langchain4j.model.image.ImageModel} on the Java API. */
@NullMarked
package org.tornadodit.langchain4j;

import org.jspecify.annotations.NullMarked;
