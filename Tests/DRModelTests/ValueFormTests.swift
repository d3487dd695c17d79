import DRModel
import Testing

/// What is written member by member is what `Codable` would write.
struct ValueFormTests {
    /// Encodes and decodes as the compiler wrote it.
    private struct Generated<Content: Codable>: Codable {
        let content: Content

        init(_ content: Content) { self.content = content }
        init(from decoder: any Decoder) throws { content = try Content(from: decoder) }
        func encode(to encoder: any Encoder) throws { try content.encode(to: encoder) }
    }

    private static func point(verified: Bool, volumes: Int) -> RecoveryPoint {
        RecoveryPoint(
            id: "ledger-e1-g3", application: "ledger", epoch: Epoch(1), generation: 3, source: "east",
            instant: Instant(nanosecondsSince1970: 5), consistency: .crash,
            volumes: (0..<volumes).map {
                PointVolume(name: "data", kind: $0 == 0 ? .filesystem : .block, content: ContentToken("c\($0)"), size: ByteCount(7 + $0))
            }, manifests: ContentToken("m"), verifiedAt: verified ? Instant(nanosecondsSince1970: 9) : nil, final: verified)
    }

    @Test(arguments: [false, true], [0, 2])
    func `a recovery point has one form`(verified: Bool, volumes: Int) throws {
        let point = Self.point(verified: verified, volumes: volumes)
        let value = try Value(encoding: point)
        #expect(try value == Value(encoding: Generated(point)))
        #expect(try value.decoded(as: RecoveryPoint.self) == point)
        #expect(try value.decoded(as: Generated<RecoveryPoint>.self).content == point)
    }

    @Test(arguments: ["id", "application", "epoch", "generation", "source", "instant", "consistency", "volumes", "manifests", "final"])
    func `what is wrong with a recovery point is named`(member: String) throws {
        var members = try Value(encoding: Self.point(verified: true, volumes: 1)).map ?? [:]
        members[member] = [:]
        let wrong = Value.map(members)
        let error = #expect(throws: DecodingError.self) { try wrong.decoded(as: RecoveryPoint.self) }
        let generated = #expect(throws: DecodingError.self) { try wrong.decoded(as: Generated<RecoveryPoint>.self) }
        #expect(error.map { "\($0)" } == generated.map { "\($0)" })
        members[member] = nil
        #expect(throws: DecodingError.self) { try Value.map(members).decoded(as: RecoveryPoint.self) }
    }

    @Test(arguments: [nil, "mend it"])
    func `a check's answer has one form`(fix: String?) throws {
        let result = CheckResult(id: "capacity", state: .warning, message: "little room", fix: fix, next: fix.map { "drrunbook \($0)" })
        #expect(try Value(encoding: result) == Value(encoding: Generated(result)))
        #expect(try Value(encoding: [result]) == [Value(encoding: Generated(result))])
    }
}
