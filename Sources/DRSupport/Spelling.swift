/// The name a person most likely meant.
package enum Spelling {
    /// The valid name nearest to `name`, or nil when none is near enough to be worth saying. Costs |name| x |candidate| for each candidate; names of
    /// over 200 bytes are near to nothing.
    package static func nearest(to name: String, in candidates: some Sequence<String>) -> String? {
        guard name.utf8.count <= longest else { return nil }
        let folded = fold(name)
        var best: (distance: Int, name: String)?
        for candidate in candidates.sorted() {
            let distance = editDistance(folded, fold(candidate))
            if distance < best?.distance ?? .max { best = (distance, candidate) }
        }
        guard let best else { return nil }
        return best.distance <= max(1, max(name.count, best.name.count) / 3) ? best.name : nil
    }

    /// ` (did you mean "x"?)`, or the empty string.
    package static func hint(for name: String, in candidates: some Sequence<String>) -> String {
        nearest(to: name, in: candidates).map { " (did you mean \"\($0)\"?)" } ?? ""
    }

    /// The same for a part of a name: compared with the words of each candidate that stand where it would.
    package static func hint(forPart part: String, in candidates: some Sequence<String>) -> String {
        let length = part.split(separator: " ").count
        let parts = candidates.flatMap { candidate -> [String] in
            let words = candidate.split(separator: " ")
            guard words.count > length else { return [candidate] }
            return (0...(words.count - length)).map { words[$0..<$0 + length].joined(separator: " ") }
        }
        return hint(for: part, in: parts)
    }

    private static let longest = 200

    // Case and the choice between `-`, `_` and nothing are the commonest slips: they cost nothing.
    private static func fold(_ text: String) -> [Character] {
        text.lowercased().filter { $0 != "_" && $0 != "-" }
    }

    // Optimal string alignment: a swap of two neighbours is one slip.
    private static func editDistance(_ a: [Character], _ b: [Character]) -> Int {
        var before: [Int] = []
        var row = Array(0...b.count)
        for i in a.indices {
            var next = [i + 1]
            for j in b.indices {
                var cost = min(next[j] + 1, row[j + 1] + 1, row[j] + (a[i] == b[j] ? 0 : 1))
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { cost = min(cost, before[j - 1] + 1) }
                next.append(cost)
            }
            before = row
            row = next
        }
        return row[b.count]
    }
}
