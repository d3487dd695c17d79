/// One Kubernetes object as it stands in a cluster: its manifest's own text, and the little the engine asks of every object.
///
/// Copies share what they hold, and what was read out of the text: a cluster of many thousand objects is handed around without being copied or read again.
public struct ManifestObject: Hashable, Sendable, Codable {
    private final class Content: Sendable {
        let key: ObjectKey
        let labels: [String: String]
        let annotations: [String: String]
        let text: ManifestText
        let location: SourceLocation?

        init(
            _ key: ObjectKey, _ labels: [String: String], _ annotations: [String: String], _ text: ManifestText, _ location: SourceLocation?
        ) {
            self.key = key
            self.labels = labels
            self.annotations = annotations
            self.text = text
            self.location = location
        }
    }

    private var content: Content

    public var key: ObjectKey { content.key }
    public var labels: [String: String] { content.labels }
    public var annotations: [String: String] { content.annotations }
    /// One YAML document, byte for byte as its author wrote it.
    public var text: String { content.text.text }
    /// The text, with what was read of it.
    package var known: ManifestText { content.text }
    /// Where it stands in a file, for messages.
    public var location: SourceLocation? {
        get { content.location }
        set { content = Content(key, labels, annotations, content.text, newValue) }
    }

    public init(
        key: ObjectKey, labels: [String: String] = [:], annotations: [String: String] = [:], text: String, location: SourceLocation? = nil
    ) {
        content = Content(key, labels, annotations, ManifestText(text), location)
    }

    package init(key: ObjectKey, labels: [String: String], annotations: [String: String], known: ManifestText, location: SourceLocation?) {
        content = Content(key, labels, annotations, known, location)
    }

    public static func == (a: ManifestObject, b: ManifestObject) -> Bool {
        a.content === b.content
            || (a.text == b.text && a.key == b.key && a.labels == b.labels && a.annotations == b.annotations && a.location == b.location)
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(key)
        hasher.combine(text)
    }

    private enum CodingKeys: String, CodingKey { case key, labels, annotations, text, location }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            key: try values.decode(ObjectKey.self, forKey: .key), labels: try values.decode([String: String].self, forKey: .labels),
            annotations: try values.decode([String: String].self, forKey: .annotations),
            text: try values.decode(String.self, forKey: .text),
            location: try values.decodeIfPresent(SourceLocation.self, forKey: .location))
    }

    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(key, forKey: .key)
        try values.encode(labels, forKey: .labels)
        try values.encode(annotations, forKey: .annotations)
        try values.encode(text, forKey: .text)
        try values.encodeIfPresent(location, forKey: .location)
    }
}
