public import DRModel

/// A file of Kubernetes manifests. Replacing, deleting or appending one document leaves every byte of the others as it is.
public struct ManifestFile: Sendable {
    public let text: String
    /// Named in errors.
    public let file: String
    /// In the order of the file; empty documents are left out.
    public let manifests: [Manifest]
    private let slices: [DocumentSlice]
    private let places: [ObjectKey: Int]

    /// Throws `invalid-input` with file and line, also when one object stands twice.
    public init(_ text: String, file: String) throws(DRError) {
        let source = SourceText(text)
        var manifests: [Manifest] = []
        var slices: [DocumentSlice] = []
        var places: [ObjectKey: Int] = [:]
        for slice in source.documents {
            let firstLine = source.line(at: slice.content.lowerBound)
            let slicedText = String(decoding: source.bytes[slice.content], as: UTF8.self)
            guard let root = try YAMLNode.parse(document: slicedText, file: file, firstLine: firstLine) else { continue }
            let manifest = try Manifest(text: slicedText, root: root, file: file, firstLine: firstLine)
            if let earlier = places.updateValue(manifests.count, forKey: manifest.key) {
                throw DRError(
                    .invalidInput, "\(manifest.key) stands twice in this file",
                    hint: "the first is at line \(manifests[earlier].root.location.line)",
                    location: root.location)
            }
            manifests.append(manifest)
            slices.append(slice)
        }
        self.text = text
        self.file = file
        self.manifests = manifests
        self.slices = slices
        self.places = places
    }

    public func manifest(_ key: ObjectKey) -> Manifest? { places[key].map { manifests[$0] } }

    /// The file with some documents replaced, added (at its end) or, where the text is nil, deleted with the line that separated them from the one before.
    /// Each text holds exactly one document. Deleting what is not there changes nothing. Throws `invalid-input`.
    public func changing(_ changes: [ObjectKey: String?]) throws(DRError) -> ManifestFile {
        let all = Array(text.utf8)
        let eol = SourceText(text).lineBreak
        var bytes: [UInt8] = []
        var expected: [String] = []
        var copied = 0
        for (manifest, slice) in zip(manifests, slices) {
            guard let change = changes[manifest.key] else {
                expected.append(manifest.text)
                continue
            }
            guard let new = change else {
                // A byte order mark belongs to the file.
                let hasMark = slice.separator.lowerBound == 0 && all.starts(with: Array("\u{FEFF}".utf8))
                bytes += all[copied..<max(copied, hasMark ? 3 : slice.separator.lowerBound)]
                copied = slice.content.upperBound
                continue
            }
            bytes += all[copied..<slice.content.lowerBound]
            copied = slice.content.upperBound
            let isOpen = copied < all.count && !Self.endsLine(new.utf8)
            bytes += Array((isOpen ? new + eol : new).utf8)
            expected.append(isOpen ? new + eol : new)
        }
        bytes += all[copied...]
        for (key, text) in changes.sorted(by: { $0.key < $1.key }) {
            guard let text, manifest(key) == nil else { continue }
            if !bytes.allSatisfy(Self.isBlank) {
                if !Self.endsLine(bytes) {
                    bytes += eol.utf8
                    // The last document gains a line break; one whose value depends on it is found below.
                    if let last = expected.popLast() { expected.append(Self.endsLine(last.utf8) ? last : last + eol) }
                }
                bytes += Array("---\(eol)".utf8)
            }
            bytes += text.utf8
            expected.append(text)
        }
        let changed = try ManifestFile(String(decoding: bytes, as: UTF8.self), file: file)
        let kept = manifests.filter { !changes.keys.contains($0.key) }
        guard changed.manifests.map(\.text) == expected,
            kept.allSatisfy({ old in changed.manifest(old.key).map { $0.root.hasSameContent(as: old.root) } ?? false }),
            changes.allSatisfy({ (changed.manifest($0.key) == nil) == ($0.value == nil) })
        else {
            throw DRError(
                .invalidInput,
                "\(changes.keys.sorted().map(\.description).joined(separator: ", ")) cannot be changed without touching other documents",
                hint: "give each object a file of its own", location: SourceLocation(file: file, line: 1))
        }
        return changed
    }

    /// One document replaced. Throws `not-found`, `invalid-input`.
    public func replacing(_ key: ObjectKey, with text: String) throws(DRError) -> ManifestFile {
        guard manifest(key) != nil else { throw DRError(.notFound, "\(key) is not in \(file)") }
        return try changing([key: text])
    }

    private static func isBlank(_ byte: UInt8) -> Bool { [0x20, 0x09, 0x0A, 0x0D].contains(byte) }
    private static func endsLine(_ bytes: some BidirectionalCollection<UInt8>) -> Bool {
        bytes.last.map { $0 == 0x0A || $0 == 0x0D } ?? true
    }

    /// Nothing but white space and separators is left.
    public var isBlank: Bool {
        manifests.isEmpty && text.utf8.allSatisfy { Self.isBlank($0) || $0 == UInt8(ascii: "-") }
    }
}
