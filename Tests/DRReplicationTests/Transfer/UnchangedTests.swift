import Testing

@testable import DRReplication

@Suite struct UnchangedTests {
    private let chunk: Int64 = 64

    @Test(arguments: 0..<200)
    func `What a filesystem says changed is cut at chunks, so that each is read if anything of it changed and only then`(_ seed: UInt64) {
        var random = Generator(seed)
        let size = Int64.random(in: 1...chunk * 40, using: &random)
        var changed: [Range<Int64>] = []
        var offset: Int64 = 0
        while true {
            let start = offset + Int64.random(in: 0...chunk * 4, using: &random)
            let end = min(size, start + Int64.random(in: 1...chunk * 3, using: &random))
            guard start < size else { break }
            changed.append(start..<end)
            offset = end + 1
        }
        var unchanged = Unchanged(changed, chunkSize: chunk)
        // Parts of eight chunks, as a file is read in parts.
        for part in stride(from: 0, to: size, by: Int(chunk) * 8) {
            var rest = part..<min(size, part + chunk * 8)
            while !rest.isEmpty {
                let range = unchanged.beginning(of: rest)
                #expect(range.lowerBound == rest.lowerBound && !range.isEmpty && range.upperBound <= rest.upperBound)
                guard !range.isEmpty else { return }
                #expect(range.upperBound % chunk == 0 || range.upperBound == size)
                rest = range.upperBound..<rest.upperBound
                let isSame = unchanged.take(range, []) != nil
                for start in stride(from: range.lowerBound, to: range.upperBound, by: Int(chunk)) {
                    let touched = changed.contains { $0.overlaps(start..<min(size, start + chunk)) }
                    #expect(touched != isSame, "the chunk at \(start) of \(changed), size \(size)")
                }
            }
        }
    }

    @Test func `Where a filesystem says nothing all is read`() {
        var unchanged = Unchanged(nil, chunkSize: chunk)
        #expect(unchanged.beginning(of: 0..<640) == 0..<640)
        #expect(unchanged.take(0..<640, []) == nil)
    }

    private struct Generator: RandomNumberGenerator {
        private var state: UInt64
        init(_ seed: UInt64) { state = seed }
        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
    }
}
