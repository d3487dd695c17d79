/// A name that is safe as a Kubernetes object name, a file name and a part of a key: lower-case letters, digits, `-` and `.`, at most 253
/// bytes, beginning and ending with a letter or digit, never `..`.
///
/// The type parameter keeps an application's name from being passed where a cluster's is meant.
public struct Name<Of>: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let text: String

    /// Throws `invalid-input` and says which characters are allowed.
    public init(_ text: String) throws(DRError) {
        guard Self.isValid(text) else {
            throw DRError(
                .invalidInput, "\"\(text)\" is not a valid name",
                hint: "use lower-case letters, digits, '-' and '.', beginning and ending with a letter or digit")
        }
        self.text = text
    }

    public var description: String { text }

    public static func < (a: Name, b: Name) -> Bool { a.text < b.text }

    private static func isValid(_ text: String) -> Bool {
        guard text.utf8.count <= 253 else { return false }
        var last: UInt8?
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): break
            case UInt8(ascii: "-") where last != nil: break
            case UInt8(ascii: ".") where last != nil && last != UInt8(ascii: "."): break
            default: return false
            }
            last = byte
        }
        return last.map { $0 != UInt8(ascii: "-") && $0 != UInt8(ascii: ".") } ?? false
    }
}

extension Name: ExpressibleByStringLiteral {
    /// For names that stand in code; a bad one is a programmer's error.
    public init(stringLiteral value: String) {
        precondition(Self.isValid(value), "\"\(value)\" is not a valid name")
        text = value
    }
}

extension Name: Codable {
    public init(from decoder: any Decoder) throws { try self.init(decoder.singleValueContainer().decode(String.self)) }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}

public enum ClusterTag {}
public enum VolumeTag {}
public enum ObjectStoreTag {}
public enum RunTag {}
public enum ScheduleTag {}
public enum RuleTag {}

public typealias ApplicationName = Name<Application>
public typealias ClusterName = Name<ClusterTag>
public typealias PairName = Name<ClusterPair>
public typealias ScheduleName = Name<ScheduleTag>
/// A command that a cluster has for the moment of a snapshot.
public typealias RuleName = Name<RuleTag>
public typealias StoreName = Name<ObjectStoreTag>
/// The name of a PersistentVolume.
public typealias VolumeName = Name<VolumeTag>
/// One durable execution of a runbook.
public typealias RunID = Name<RunTag>
