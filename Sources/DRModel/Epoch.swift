/// A number per application, stored at both clusters and raised by each activation. Who holds an older one is fenced.
public struct Epoch: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let number: Int64

    public init(_ number: Int64) { self.number = number }

    /// Before the first activation the application lives where it was found.
    public static let first = Epoch(1)
    public var next: Epoch { Epoch(number + 1) }
    public var description: String { String(number) }

    public static func < (a: Epoch, b: Epoch) -> Bool { a.number < b.number }
}

extension Epoch: Codable {
    public init(from decoder: any Decoder) throws { self.init(try decoder.singleValueContainer().decode(Int64.self)) }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(number)
    }
}
