internal import CStorage
internal import DRModel

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// A program run to its end without a shell: in a session of its own, with no input, and with its output kept up to a bound.
///
/// What it leaves running in the background, even with its output open, does not hold us up.
struct Command: Sendable {
    let arguments: [String]
    let folder: StorePath
    let timeout: Duration
    private static let kept = 16 << 10

    struct Ending: Sendable, Equatable {
        /// The exit status; 128 + the signal that ended it; 127 when it could not be started.
        var code: Int32
        var timedOut: Bool
        /// What it wrote to standard error, or, when that is nothing, to standard output; the first 16 KiB.
        var output: String

        var succeeded: Bool { code == 0 && !timedOut }

        /// `exited with status 3: first line / second line`.
        var summary: String {
            let lines = output.split(whereSeparator: \.isNewline).prefix(3).joined(separator: " / ").prefix(500)
            let ending =
                timedOut
                ? "took too long and was killed" : code == 127 && output.hasPrefix("cannot start") ? "" : "exited with status \(code)"
            return lines.isEmpty ? ending : ending.isEmpty ? String(lines) : "\(ending): \(lines)"
        }
    }

    init(_ arguments: [String], in folder: StorePath, timeout: Duration) {
        self.arguments = arguments
        self.folder = folder
        self.timeout = timeout
    }

    /// Blocks until it has ended. Throws `invalid-input` for arguments that no program can get, `io` when the system refuses.
    func run() throws -> Ending {
        guard let program = arguments.first, !program.isEmpty, !arguments.contains(where: { $0.utf8.contains(0) }) else {
            throw DRError(.invalidInput, "a command is a program and its arguments, without zero bytes")
        }
        var ended = cstorage_ending()
        var output = [UInt8](repeating: 0, count: Self.kept)
        let status = try unsafe folder.withCString { folder in
            let words = unsafe arguments.map { unsafe strdup($0) }
            defer { unsafe words.forEach { unsafe free($0) } }
            let milliseconds = Int64(clamping: timeout.nanoseconds / 1_000_000)
            return unsafe (words + [nil]).withUnsafeBufferPointer { list in
                unsafe output.withUnsafeMutableBytes {
                    unsafe cstorage_run(list.baseAddress, folder, milliseconds, $0.baseAddress, $0.count, &ended)
                }
            }
        }
        let text = String(decoding: output[..<ended.length], as: UTF8.self)
        guard status < 0 else { return Ending(code: ended.code, timedOut: ended.timed_out != 0, output: text) }
        var reason = [CChar](repeating: 0, count: 256)
        let words = unsafe cstorage_reason(-status, &reason, 256).map { unsafe String(cString: $0) } ?? "error \(-status)"
        if [ENOENT, EACCES, ENOTDIR, ENOEXEC, EISDIR, ELOOP, ENAMETOOLONG, E2BIG].contains(-status) {
            return Ending(code: 127, timedOut: false, output: "cannot start \(program) in \(folder): \(words)")
        }
        throw DRError(.io, "cannot run \(program): \(words)")
    }
}
