import DRManifest
import DRModel
import Testing

struct YAMLFuzzTests {
    @Test(arguments: 0..<8)
    func `G8 a mangled file is read or refused and never more`(seed: UInt64) {
        var random = Numbers(state: (seed + 1) &* 0x9E37_79B9_7F4A_7C15)
        let pieces = [
            "---\n", "...", "&a ", "*a", "? ", ": ", "- ", "{", "}", "[", "]", "|+\n", ">", "'", "\"", "#", "!!str ", "%YAML 1.1", "<<: ",
            "\t", "\r", "\u{2028}", "\u{FEFF}", "\\u0000", "~", "0x", "é",
        ]
        for _ in 0..<300 {
            var text = Array(ManifestTests.statefulSet.unicodeScalars)
            for _ in 0...random.next() % 6 {
                let place = Int(random.next() % UInt64(text.count + 1))
                switch random.next() % 3 {
                case 0: text.insert(contentsOf: random.pick(pieces).unicodeScalars, at: place)
                case 1: text.removeSubrange(place..<min(text.count, place + Int(random.next() % 9)))
                default: text.insert(contentsOf: text[min(place, text.count / 2)..<max(place, text.count / 2)].prefix(40), at: place)
                }
            }
            let mangled = String(String.UnicodeScalarView(text))
            do {
                for manifest in try Manifest.parse(mangled, file: "f") where manifest.replicas != nil {
                    let changed = try manifest.scaled(to: 7)
                    #expect(changed.replicas == 7)
                }
            } catch {
                #expect(error.code == .invalidInput && error.location?.file == "f" && error.location?.line ?? 0 > 0, "\(error)")
            }
        }
    }
}
