/// The offsets of a time zone from UTC, as the system's zone file lists them (RFC 8536).
package struct ZoneRules: Sendable {
    /// In order; the offset holds from `at` on, in seconds since 1970.
    private let transitions: [(at: Int64, offset: Int64)]
    private let first: Int64

    package static let utc = ZoneRules(offset: 0)

    /// A zone whose clocks are never changed, so many seconds before UTC.
    package init(offset: Int64) {
        transitions = []
        first = offset
    }

    /// `bytes`: a zone file of version 2 or later. Throws `configuration`.
    package init(_ bytes: [UInt8], zone: String) throws(DRError) {
        let wrong = DRError(.configuration, "the rules of time zone \(zone) cannot be read")
        func number(_ offset: Int, _ count: Int) throws(DRError) -> Int64 {
            guard offset >= 0, offset + count <= bytes.count else { throw wrong }
            let value = bytes[offset..<offset + count].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            return count == 4 ? Int64(Int32(truncatingIfNeeded: value)) : Int64(bitPattern: value)
        }
        func counts(_ header: Int) throws(DRError) -> [Int] {
            guard header + 44 <= bytes.count, bytes[header..<header + 4].elementsEqual("TZif".utf8) else { throw wrong }
            var counts: [Int] = []
            for index in 0..<6 { counts.append(Int(try number(header + 20 + 4 * index, 4))) }
            guard counts.allSatisfy({ (0..<100_000).contains($0) }) else { throw wrong }
            return counts
        }
        guard bytes.count > 4, bytes[4] >= UInt8(ascii: "2") else { throw wrong }
        // isutc, isstd, leap, time, type, char: first the block of 32 bits, which the second one replaces.
        let old = try counts(0)
        let second = 44 + old[3] * 5 + old[4] * 6 + old[5] + old[2] * 8 + old[1] + old[0]
        let new = try counts(second)
        let times = second + 44
        let kinds = times + new[3] * 8
        let types = kinds + new[3]
        func offset(_ kind: Int) throws(DRError) -> Int64 { try number(types + kind * 6, 4) }
        var found: [(at: Int64, offset: Int64)] = []
        for index in 0..<new[3] {
            guard kinds + index < bytes.count else { throw wrong }
            found.append((try number(times + index * 8, 8), try offset(Int(bytes[kinds + index]))))
        }
        // A short file leaves the future to a rule in its last line.
        let footer = types + new[4] * 6 + new[5] + new[2] * 12 + new[1] + new[0]
        guard footer <= bytes.count, zip(found, found.dropFirst()).allSatisfy({ $0.at < $1.at }) else { throw wrong }
        let horizon: Int64 = 2_082_758_400
        if bytes[footer...].contains(UInt8(ascii: ",")), found.last.map({ $0.at < horizon }) ?? true {
            throw DRError(
                .configuration, "the zone file of \(zone) lists no changes up to 2036", hint: "install the full time zone data (tzdata)")
        }
        transitions = found
        first = new[4] > 0 ? try offset(0) : 0
    }

    package func offset(at seconds: Int64) -> Int64 {
        var (low, high) = (0, transitions.count)
        while low < high {
            let middle = (low + high) / 2
            if transitions[middle].at <= seconds { low = middle + 1 } else { high = middle }
        }
        return low == 0 ? first : transitions[low - 1].offset
    }

    /// Every time clocks of the zone show this local time: twice in an hour that is put back, never in one that is skipped.
    package func showings(ofLocal local: Int64) -> [Int64] {
        Set(near(local).map { local - $0 }).filter { offset(at: $0) == local - $0 }.sorted()
    }

    /// When clocks of the zone show this local time; what they skip counts from the offset before, what they show twice is the first.
    package func seconds(ofLocal local: Int64) -> Int64 { showings(ofLocal: local).first ?? local - near(local)[0] }

    private func near(_ local: Int64) -> [Int64] { [offset(at: local - 100_000), offset(at: local + 100_000)] }
}
