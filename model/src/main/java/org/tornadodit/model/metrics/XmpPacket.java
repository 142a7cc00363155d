package org.tornadodit.model.metrics;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import javax.imageio.IIOException;
import javax.xml.namespace.QName;
import javax.xml.stream.XMLInputFactory;
import javax.xml.stream.XMLStreamConstants;
import javax.xml.stream.XMLStreamException;
import javax.xml.stream.XMLStreamReader;
import org.jspecify.annotations.Nullable;

/**
 * Texts as an XMP packet: {@code Software} is {@code xmp:CreatorTool}, {@code Description} is {@code dc:description}, and every
 * other keyword a property of a namespace of ours. Source: ISO 16684-1, and RFC 9649 for where WebP has it.
 */
final class XmpPacket {
    private static final String RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";
    private static final QName TOOL = new QName("http://ns.adobe.com/xap/1.0/", "CreatorTool", "xmp");
    private static final QName DESCRIPTION = new QName("http://purl.org/dc/elements/1.1/", "description", "dc");
    private static final String OURS = "urn:tornado-dit:texts";

    private static final String SOFTWARE_KEYWORD = "Software";
    private static final String DESCRIPTION_KEYWORD = "Description";

    /** Of texts that are read. */
    private static final int MOST_TEXTS = 100;

    private XmpPacket() {}

    /**
     * Writes one.
     *
     * @param texts by keyword; keywords other than the two above are names of XML
     */
    static byte[] of(Map<String, String> texts) {
        StringBuilder xml =
                new StringBuilder("""
                    <?xpacket begin="\uFEFF" id="W5M0MpCehiHzreSzNTczkc9d"?>
                    <x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="%s">
                    <rdf:Description rdf:about="" xmlns:xmp="%s" xmlns:dc="%s" xmlns:dit="%s">
                    """.formatted(RDF, TOOL.getNamespaceURI(), DESCRIPTION.getNamespaceURI(), OURS));
        texts.forEach((keyword, text) -> {
            String escaped = escaped(text);
            xml.append(
                    switch (keyword) {
                        case SOFTWARE_KEYWORD -> "<xmp:CreatorTool>%s</xmp:CreatorTool>\n".formatted(escaped);
                        case DESCRIPTION_KEYWORD ->
                            "<dc:description><rdf:Alt><rdf:li xml:lang=\"x-default\">%s</rdf:li></rdf:Alt></dc:description>\n"
                                    .formatted(escaped);
                        default -> {
                            if (!keyword.matches("[A-Za-z][A-Za-z0-9-]*")) {
                                throw new IllegalArgumentException("keyword \"" + keyword + "\" is no name of XML");
                            }
                            yield "<dit:%s>%s</dit:%s>\n".formatted(keyword, escaped, keyword);
                        }
                    });
        });
        xml.append("</rdf:Description></rdf:RDF></x:xmpmeta>\n<?xpacket end=\"w\"?>");
        return xml.toString().getBytes(StandardCharsets.UTF_8);
    }

    private static String escaped(String text) {
        StringBuilder xml = new StringBuilder(text.length());
        text.codePoints().forEach(c -> {
            switch (c) {
                case '&' -> xml.append("&amp;");
                case '<' -> xml.append("&lt;");
                case '>' -> xml.append("&gt;");
                case '\r' -> xml.append("&#13;");
                default -> xml.appendCodePoint(isOfXml(c) ? c : '?');
            }
        });
        return xml.toString();
    }

    private static boolean isOfXml(int c) {
        return c >= ' ' && c <= 0xD7FF || c >= 0xE000 && c <= 0xFFFD || c > 0xFFFF || c == '\n' || c == '\t';
    }

    /**
     * Reads one; what is neither of the two nor of our namespace is passed over.
     *
     * @throws IIOException when it is no XML, or has a DTD, which XMP has not
     */
    static Map<String, String> read(byte[] packet) throws IIOException {
        XMLInputFactory factory = XMLInputFactory.newDefaultFactory();
        factory.setProperty(XMLInputFactory.SUPPORT_DTD, false);
        factory.setProperty(XMLInputFactory.IS_SUPPORTING_EXTERNAL_ENTITIES, false);
        factory.setProperty(XMLInputFactory.IS_COALESCING, true);
        Map<String, String> texts = new LinkedHashMap<>();
        try {
            XMLStreamReader xml =
                    factory.createXMLStreamReader(new ByteArrayInputStream(packet), StandardCharsets.UTF_8.name());
            String keyword = null;
            int depth = 0;
            int depthOfKeyword = 0;
            StringBuilder text = new StringBuilder();
            while (xml.hasNext()) {
                switch (xml.next()) {
                    case XMLStreamConstants.DTD -> throw new IIOException("damaged image: its XMP packet has a DTD");
                    case XMLStreamConstants.START_ELEMENT -> {
                        depth++;
                        for (int i = 0; i < xml.getAttributeCount(); i++) { // a property in short
                            put(texts, keyword(xml.getAttributeName(i)), xml.getAttributeValue(i));
                        }
                        if (keyword == null) {
                            keyword = keyword(xml.getName());
                            depthOfKeyword = depth;
                        }
                        text.setLength(0); // of a property before, or blanks before <rdf:Alt>, <rdf:li>
                    }
                    case XMLStreamConstants.CHARACTERS -> {
                        if (keyword != null && !(xml.isWhiteSpace() && depth > depthOfKeyword && text.isEmpty())) {
                            text.append(xml.getText());
                        }
                    }
                    case XMLStreamConstants.END_ELEMENT -> {
                        if (keyword != null
                                && (depth == depthOfKeyword
                                        || xml.getLocalName().equals("li"))) {
                            put(texts, keyword, text.toString());
                        }
                        if (keyword != null && depth == depthOfKeyword) {
                            keyword = null;
                        }
                        depth--;
                    }
                    default -> {
                        // comments and instructions
                    }
                }
            }
        } catch (XMLStreamException e) {
            throw new IIOException("damaged image: its XMP packet is no XML", e);
        }
        return texts;
    }

    /** The first of a keyword stands; of a description in several languages that is x-default's. */
    private static void put(Map<String, String> texts, @Nullable String keyword, String text) throws IIOException {
        if (keyword == null) {
            return;
        }
        texts.putIfAbsent(keyword, text);
        if (texts.size() > MOST_TEXTS) {
            throw new IIOException("its texts are more than %d".formatted(MOST_TEXTS));
        }
    }

    private static @Nullable String keyword(QName name) {
        return name.equals(TOOL)
                ? SOFTWARE_KEYWORD
                : name.equals(DESCRIPTION)
                        ? DESCRIPTION_KEYWORD
                        : name.getNamespaceURI().equals(OURS) ? name.getLocalPart() : null;
    }
}
