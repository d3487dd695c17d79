/// Words searched for in manifests by their bytes: `String.contains` compares characters and takes a hundred times as long, and each object is asked often.
struct Words: Sendable {
    /// By their first byte, so that a text is gone through once, however many they are. Empty: there are none.
    private let words: [[[UInt8]]]

    init(_ words: [String]) {
        guard !words.isEmpty else {
            self.words = []
            return
        }
        var byFirst: [[[UInt8]]] = Array(repeating: [], count: 256)
        for word in words.map({ Array($0.utf8) }) { if let first = word.first { byFirst[Int(first)].append(word) } }
        self.words = byFirst
    }

    /// Does one of them stand in the text?
    func occur(in text: String) -> Bool {
        guard !words.isEmpty else { return false }
        let found = unsafe text.utf8.withContiguousStorageIfAvailable { bytes in unsafe occur(in: bytes.span) }
        return found ?? occur(in: Array(text.utf8).span)
    }

    private func occur(in bytes: Span<UInt8>) -> Bool {
        for start in bytes.indices where !words[Int(bytes[start])].isEmpty {
            if words[Int(bytes[start])].contains(where: { Self.stands($0, in: bytes, at: start) }) { return true }
        }
        return false
    }

    private static func stands(_ word: [UInt8], in bytes: Span<UInt8>, at start: Int) -> Bool {
        guard bytes.count - start >= word.count else { return false }
        for index in word.indices where bytes[start + index] != word[index] { return false }
        return true
    }
}
