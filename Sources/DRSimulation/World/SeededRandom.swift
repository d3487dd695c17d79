internal import DRModel
internal import DRSupport

/// Numbers that depend on a seed alone.
package final class SeededRandom: RandomSource {
    private let state: Lock<UInt64>

    package init(seed: UInt64) { state = Lock(Self.mixed(seed)) }

    package func next() -> UInt64 {
        state.withLock { state in
            state &+= 0x9E37_79B9_7F4A_7C15
            return Self.mixed(state)
        }
    }

    /// A number in 0..<1 for a text: the same for the same seed, whatever else was asked.
    static func fraction(_ text: String, seed: UInt64) -> Double {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325 ^ mixed(seed)
        for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        return Double(mixed(hash) >> 11) / Double(1 << 53)
    }

    private static func mixed(_ number: UInt64) -> UInt64 {
        var z = number
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
