/// What ended a call into Lua.
public struct LuaError: Error, @unchecked Sendable {
    public enum Kind: String, Sendable, CaseIterable {
        /// The source cannot be read.
        case syntax
        /// Raised by the script, by Lua, or by a host function (then `underlying` is its error).
        case runtime
        /// The memory limit.
        case memory
        /// The limit of computing, output, nesting or the stack.
        case limit
        /// `LuaCancellation.cancel`.
        case cancelled
        /// The host ended the run: `LuaStop`, or `LuaCoroutine.resume(terminating:)`; `underlying` is its error.
        case stopped
        /// The message handler of an `xpcall` failed itself.
        case handler
        /// The state of a value is gone, or the value belongs to another one.
        case closed
    }

    public let kind: Kind
    /// Without the place.
    public let message: String
    /// The script line that raised it first; trusted chunks do not count.
    public let location: LuaLocation?
    /// The call stack where it left Lua, one frame a line.
    public let traceback: String
    /// The Swift error of a host function, however often the script caught it and raised it again.
    public let underlying: (any Error)?

    // Not Sendable: to be used where the state lives. The reference in it may be dropped anywhere.
    private let raised: Raised?
    private final class Raised {
        let value: LuaValue
        init(_ value: LuaValue) { self.value = value }
    }

    /// The Lua value that was raised. Only for the owner of the state.
    public var value: LuaValue? {
        raised?.value
    }

    public init(
        kind: Kind = .runtime, message: String, location: LuaLocation? = nil, traceback: String = "", underlying: (any Error)? = nil,
        value: LuaValue? = nil
    ) {
        self.kind = kind
        self.message = message
        self.location = location
        self.traceback = traceback
        self.underlying = underlying
        raised = value.map(Raised.init)
    }

    /// Does it end the run whatever the script does?
    public var isTermination: Bool {
        switch kind {
        case .memory, .limit, .cancelled, .stopped: true
        case .syntax, .runtime, .handler, .closed: false
        }
    }
}

extension LuaError: CustomStringConvertible, CustomDebugStringConvertible {
    /// `file:line: message`.
    public var description: String {
        location.map { "\($0): \(message)" } ?? message
    }

    /// With the traceback.
    public var debugDescription: String {
        traceback.isEmpty ? "\(kind.rawValue): \(description)" : "\(kind.rawValue): \(description)\n\(traceback)"
    }
}

/// A Swift error that scripts see as a table with fields of its own; `tostring` of it is the message.
public protocol LuaErrorConvertible: Error {
    /// What went wrong, in words; becomes the field `message`.
    var luaMessage: String { get }
    /// Further fields.
    var luaFields: [(String, LuaTree)] { get }
}

/// Thrown by a host function, it ends the run: no script catches it. At the boundary it is a `LuaError` of kind `stopped`.
public struct LuaStop: Error {
    public let underlying: any Error

    public init(_ underlying: any Error) {
        self.underlying = underlying
    }
}

// A complaint about a value or a call; raised in Lua as `file:line: message`.
struct LuaComplaint: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

// A wrong argument. Whoever knows what the function is called makes the complaint of it: closures that keep no name are much faster.
enum LuaMisuse: Error {
    case argument(Int, String)
    case object(String)

    func complaint(of function: String) -> LuaComplaint {
        switch self {
        case .argument(let index, let what): LuaComplaint("bad argument #\(index) to '\(function)'\(what)")
        case .object(let what): LuaComplaint("'\(function)' \(what)")
        }
    }
}

// What an error table in Lua leads back to.
final class LuaErrorBox {
    let error: any Error
    let message: String
    let location: LuaLocation?

    init(error: any Error, message: String, location: LuaLocation?) {
        self.error = error
        self.message = message
        self.location = location
    }
}

// How errors of a type become Lua values. Asking a value for its protocols costs more than raising it, so each type is asked once.
struct LuaErrorForms {
    enum Form { case plain, stop, misuse, complaint, lua, convertible }

    // nil: a class, whose errors may be of another class each time.
    private var known: [ObjectIdentifier: Form?] = [:]
    private var lastType = ObjectIdentifier(Never.self)
    private(set) var lastForm = Form.plain

    // Generic, and so given the type that stands in the error's box: `type(of:)` looks deeper, for what can only be behind a class.
    @inline(__always) func isLast<Failure: Error>(_ error: Failure) -> Bool {
        lastType == ObjectIdentifier(Failure.self)
    }

    mutating func form<Failure: Error>(of error: Failure) -> Form {
        if isLast(error) { return lastForm }
        let type = ObjectIdentifier(Failure.self)
        let form = known[type] ?? (Failure.self is AnyObject.Type ? nil : Self.ask(error))
        known[type] = .some(form)
        guard let form else { return Self.ask(error) }
        lastType = type
        lastForm = form
        return form
    }

    private static func ask(_ error: any Error) -> Form {
        switch error {
        case is LuaStop: .stop
        case is LuaMisuse: .misuse
        case is LuaComplaint: .complaint
        case is LuaError: .lua
        case is any LuaErrorConvertible: .convertible
        default: .plain
        }
    }
}
