public import DRModel

/// A file of Kubernetes manifests. Replacing, deleting or appending one document leaves every byte of the others as it is.
public struct ManifestFile: Sendable {
    public let text: String
    /// Named in errors.
    public let file: String
    /// In the order of the file; empty documents are left out.
    public let manifests: [Manifest]
    private let slices: [DocumentSlice]

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
            if let earlier = places.updateValue(root.location.line, forKey: manifest.key) {
                throw DRError(
                    .invalidInput, "\(manifest.key) stands twice in this file", hint: "the first is at line \(earlier)",
                    location: root.location)
            }
            manifests.append(manifest)
            slices.append(slice)
        }
        self.text = text
        self.file = file
        self.manifests = manifests
        self.slices = slices
    }

    public func manifest(_ key: ObjectKey) -> Manifest? { manifests.first { $0.key == key } }

    /// The file with the document of `key` replaced by `text`, which holds exactly one. Throws `not-found`, `invalid-input`.
    public func replacing(_ key: ObjectKey, with text: String) throws(DRError) -> ManifestFile {
        let index = try index(of: key)
        var new = Array(text.utf8)
        let all = Array(self.text.utf8)
        let range = slices[index].content
        let isLast = range.upperBound == all.count
        if !isLast, let last = new.last, last != 0x0A, last != 0x0D { new += SourceText(self.text).lineBreak.utf8 }
        let changed = try ManifestFile(
            String(decoding: all[..<range.lowerBound] + new + all[range.upperBound...], as: UTF8.self), file: file)
        var expected = manifests.map(\.text)
        expected[index] = String(decoding: new, as: UTF8.self)
        guard changed.manifests.map(\.text) == expected else { throw unfit(key) }
        return changed
    }

    /// The file without the document of `key` and without the line that separated it from the one before. Throws `not-found`.
    public func deleting(_ key: ObjectKey) throws(DRError) -> ManifestFile {
        let index = try index(of: key)
        let all = Array(text.utf8)
        let slice = slices[index]
        // A byte order mark belongs to the file.
        let lower = slice.separator.lowerBound == 0 && all.starts(with: Array("\u{FEFF}".utf8)) ? 3 : slice.separator.lowerBound
        let start = min(lower, slice.content.lowerBound)
        let rest = String(decoding: all[..<start] + all[slice.content.upperBound...], as: UTF8.self)
        let changed = try ManifestFile(rest, file: file)
        var expected = manifests.map(\.text)
        expected.remove(at: index)
        guard changed.manifests.map(\.text) == expected else { throw unfit(key) }
        return changed
    }

    /// The file with one more document at its end. Throws `invalid-input`.
    public func appending(_ text: String) throws(DRError) -> ManifestFile {
        let eol = SourceText(self.text).lineBreak
        let isBlank = self.text.utf8.allSatisfy { [0x20, 0x09, 0x0A, 0x0D].contains($0) }
        let ended = self.text.utf8.last.map { $0 == 0x0A || $0 == 0x0D } ?? true
        let changed = try ManifestFile(self.text + (isBlank ? "" : (ended ? "" : eol) + "---" + eol) + text, file: file)
        guard changed.manifests.count == manifests.count + 1 else {
            throw DRError(.invalidInput, "expected one document to append", location: SourceLocation(file: file, line: 1))
        }
        return changed
    }

    /// Nothing but white space and separators is left.
    public var isBlank: Bool {
        manifests.isEmpty && text.utf8.allSatisfy { [0x20, 0x09, 0x0A, 0x0D].contains($0) || $0 == UInt8(ascii: "-") }
    }

    private func index(of key: ObjectKey) throws(DRError) -> Int {
        guard let index = manifests.firstIndex(where: { $0.key == key }) else {
            throw DRError(.notFound, "\(key) is not in \(file)")
        }
        return index
    }

    private func unfit(_ key: ObjectKey) -> DRError {
        DRError(
            .invalidInput, "the document of \(key) cannot be changed without touching its neighbours",
            hint: "move it into a file of its own", location: SourceLocation(file: file, line: 1))
    }
}
