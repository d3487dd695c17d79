internal import CProcess
internal import DRModel
internal import DRSupport

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// One program, run to its end: without a shell, with a minimal environment, its output kept up to a bound.
package struct ProgramRun: Sendable {
    let path: String
    let argv: [String]
    let environment: [String: String]
    let input: [UInt8]
    let folder: String
    let timeout: Duration

    package init(path: String, argv: [String], environment: [String: String], input: [UInt8], folder: String, timeout: Duration) {
        self.path = path
        self.argv = argv
        self.environment = environment
        self.input = input
        self.folder = folder
        self.timeout = timeout
    }

    /// Bytes of each stream.
    static let kept = 256 << 10

    package struct Ending: Sendable {
        package let code: Int32
        let timedOut: Bool
        let cancelled: Bool
        package let output: [UInt8]
        package let errors: [UInt8]
        let outputCut: Bool
        let errorsCut: Bool
    }

    /// Blocks. Throws `outside-failed` when it cannot be started. `cancel` becomes readable when it has to go.
    package func run(cancel: Int32) throws -> Ending {
        let variables = environment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        var output = [UInt8](repeating: 0, count: Self.kept)
        var errors = [UInt8](repeating: 0, count: Self.kept)
        var ending = unsafe cprocess_ending()
        let status = unsafe withWords(argv) { words in
            unsafe withWords(variables) { variables in
                unsafe path.withCString { path in
                    unsafe folder.withCString { folder in
                        unsafe output.withUnsafeMutableBufferPointer { output in
                            unsafe errors.withUnsafeMutableBufferPointer { errors in
                                unsafe input.withUnsafeBytes { input in
                                    unsafe ending.output.bytes = output.baseAddress
                                    unsafe ending.output.capacity = output.count
                                    unsafe ending.errors.bytes = errors.baseAddress
                                    unsafe ending.errors.capacity = errors.count
                                    var order = unsafe cprocess_order(
                                        path: path, words: words, environment: variables, folder: folder, input: input.baseAddress,
                                        input_length: input.count, timeout: Int64(clamping: timeout.nanoseconds / 1_000_000),
                                        cancel: cancel)
                                    return unsafe cprocess_run(&order, &ending)
                                }
                            }
                        }
                    }
                }
            }
        }
        guard status == 0 else {
            let reason = unsafe strerror(-status).map { unsafe String(cString: $0) } ?? "error \(-status)"
            throw DRError(.outsideFailed, "\(path) cannot be started in \(folder): \(reason)")
        }
        return unsafe Ending(
            code: ending.code, timedOut: ending.timed_out != 0, cancelled: ending.cancelled != 0,
            output: Array(output[..<ending.output.length]), errors: Array(errors[..<ending.errors.length]),
            outputCut: ending.output.cut != 0, errorsCut: ending.errors.cut != 0)
    }

    private func withWords<Result>(
        _ words: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>?) throws -> Result
    ) rethrows -> Result {
        let copies = unsafe words.map { unsafe strdup($0) }
        defer { unsafe copies.forEach { unsafe free($0) } }
        return try unsafe (copies + [nil]).withUnsafeBufferPointer { try unsafe body($0.baseAddress) }
    }
}

/// Wakes a `ProgramRun` that has to go.
final class Cancellation: Sendable {
    let readEnd: Int32
    private let writeEnd: Int32

    init() throws {
        var ends: [Int32] = [-1, -1]
        let status = unsafe cprocess_pipe(&ends)
        guard status == 0 else { throw DRError(.io, "no pipe can be made: error \(-status)") }
        readEnd = ends[0]
        writeEnd = ends[1]
    }

    deinit {
        close(readEnd)
        close(writeEnd)
    }

    func cancel() {
        var byte: UInt8 = 1
        _ = unsafe write(writeEnd, &byte, 1)
    }
}
