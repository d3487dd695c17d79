public import DRActions
public import DRModel
internal import DRReplication
internal import DRSimulation
internal import DRSupport
internal import LuaBridge

/// One case of a test, after it was run.
public struct TestResult: Sendable {
    public let file: String
    public let name: String
    public let location: SourceLocation?
    /// Nil: it passed.
    public let failure: DRError?
    /// What had happened until then, one line each, oldest first; of a case that passed too.
    public let timeline: [String]
    /// How much time passed in its world.
    public let virtualTime: Duration
    /// 16 hex digits: the same case gives the same again.
    public let trace: String
}

/// Tests of runbooks: files `*_test.lua`, each case in a world of its own, in virtual time.
public struct RunbookTests: Sendable {
    /// Files, in order.
    public let files: [String]
    /// What lies beside them in the folders that were named: runbooks and modules.
    private let runbooks: [String]
    private let configuration: Configuration?
    private let registry: ActionRegistry
    private let coverage: LuaCoverage?

    /// `paths`: files, or folders in which all tests are taken; none = the folder `runbooks`, or this one. `configuration`: what counts where a fixture says
    /// nothing. `notesLines`: which lines of runbooks run is noted, for `covered`. Throws `invalid-input` where there is none.
    public init(paths: [String], configuration: Configuration?, registry: ActionRegistry = .standard, notesLines: Bool = false) throws {
        let folders =
            paths.isEmpty ? [TextFile.exists(PathText.absolute("runbooks", in: PathText.workingFolder)) ? "runbooks" : "."] : paths
        var files: [String] = []
        var runbooks: [String] = []
        for path in folders {
            let found = try Self.scripts(in: path)
            guard found.contains(where: \.isTest) else {
                throw DRError(.invalidInput, "there are no tests in \(path)", hint: "tests are files called *_test.lua")
            }
            for (file, isTest) in found where isTest && !files.contains(file) { files.append(file) }
            runbooks += found.filter { !$0.isTest }.map(\.file)
        }
        self.files = files
        self.runbooks = runbooks
        self.configuration = configuration
        self.registry = registry
        coverage = notesLines ? LuaCoverage() : nil
    }

    /// Which lines of runbooks and their modules the cases ran, by file; those in the folders of the tests that no case has loaded are among them. Throws
    /// `runbook` where one of these cannot be loaded.
    public func covered() throws -> [CoveredFile] {
        try coverage.map { try CoveredFile.files($0, runbooks: runbooks) } ?? []
    }

    // `failover` of `runbooks/failover_test.lua`.
    private static func subject(_ file: String) -> String {
        String((file.split(separator: "/").last ?? "").replacing("_test.lua", with: ""))
    }

    private static func scripts(in path: String) throws -> [(file: String, isTest: Bool)] {
        let io = SystemStoreIO()
        func look(_ shown: String, _ isNamed: Bool) throws -> [(file: String, isTest: Bool)] {
            let absolute = PathText.absolute(shown, in: PathText.workingFolder)
            guard let facts = try io.facts(StorePath(absolute)) else {
                throw DRError(.invalidInput, "there is no \(shown)\(NearbyFile.hint(for: absolute))")
            }
            guard facts.kind == .folder else {
                return isNamed || shown.hasSuffix(".lua") ? [(shown, isNamed || shown.hasSuffix("_test.lua"))] : []
            }
            return try io.list(StorePath(absolute)).map { String(decoding: $0, as: UTF8.self) }.filter { !$0.hasPrefix(".") }.sorted()
                .flatMap { try look(shown == "." ? $0 : "\(shown.hasSuffix("/") ? String(shown.dropLast()) : shown)/\($0)", false) }
        }
        do { return try look(path, true) } catch let failure as IOFailure {
            throw DRError(.io, "\(path) cannot be read: \(failure.reason)")
        }
    }

    /// Runs the cases whose name or file holds `filter`, several at a time, and tells each as soon as it and those before it have ended.
    ///
    /// Throws `runbook` or `invalid-input` where a file cannot be loaded; then no case was run.
    public func run(filter: String? = nil, workers: Int = 2, tell: (TestResult) -> Void) async throws -> [TestResult] {
        var cases: [(file: String, index: Int)] = []
        let first = TestStage(coverage)
        defer { first.stop() }
        var names: [String] = []
        for file in files {
            let known = try await first.names(file, configuration, registry)
            names += known
            for (index, name) in known.enumerated()
            where filter.map({ name.contains($0) || file.contains($0) }) ?? true {
                cases.append((file, index))
            }
        }
        guard !cases.isEmpty else {
            let shown = files.joined(separator: ", ")
            guard let filter else {
                throw DRError(.invalidInput, "\(shown): no cases", hint: "t.case(\"...\", function(sim) ... end) is one")
            }
            throw DRError(
                .invalidInput, "no case fits \"\(filter)\"\(Spelling.hint(forPart: filter, in: names + files.map(Self.subject)))",
                hint: "tests: \(shown)")
        }
        let stages = [first] + (1..<max(1, min(workers, cases.count))).map { _ in TestStage(coverage) }
        defer { for stage in stages.dropFirst() { stage.stop() } }
        var results: [Int: TestResult] = [:]
        var told = 0
        await withTaskGroup(of: (Int, Int, TestResult).self) { [configuration, registry] group in
            var next = 0
            func begin(_ worker: Int) {
                guard next < cases.count else { return }
                let (number, (file, index), stage) = (next, cases[next], stages[worker])
                next += 1
                group.addTask { (worker, number, await stage.run(file, index, configuration, registry)) }
            }
            for worker in stages.indices { begin(worker) }
            while let (worker, number, result) = await group.next() {
                results[number] = result
                begin(worker)
                while let result = results[told] {
                    tell(result)
                    told += 1
                }
            }
        }
        return cases.indices.compactMap { results[$0] }
    }
}

/// A thread on which one case at a time is run.
actor TestStage {
    private nonisolated let executor = ThreadExecutor(name: "dr-test")
    private let coverage: LuaCoverage?
    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe executor.asUnownedSerialExecutor() }

    init(_ coverage: LuaCoverage? = nil) { self.coverage = coverage }

    nonisolated func stop() { executor.stop() }

    func names(_ file: String, _ configuration: Configuration?, _ registry: ActionRegistry) throws -> [String] {
        try load(file, configuration, registry).cases.map(\.name)
    }

    func run(_ file: String, _ index: Int, _ configuration: Configuration?, _ registry: ActionRegistry) async -> TestResult {
        do {
            let test = try load(file, configuration, registry)
            // What belongs to no actor stays on this thread, too: time passes only when nothing is left to do.
            let failure = await withTaskExecutorPreference(executor) { await test.run(index) }
            executor.whenIdle(nil)
            let world = test.context.current?.world
            let begun = test.context.current?.fixture.now
            return TestResult(
                file: file, name: test.cases[index].name, location: test.cases[index].location, failure: failure,
                timeline: world?.timeline.text() ?? [],
                virtualTime: begun.flatMap { begun in world.map { $0.clock.now() - begun } } ?? .zero,
                trace: world?.timeline.trace ?? "")
        } catch {
            return TestResult(
                file: file, name: "case \(index + 1)", location: nil, failure: error as? DRError ?? DRError(.internal, "\(error)"),
                timeline: [], virtualTime: .zero, trace: "")
        }
    }

    private func load(_ file: String, _ configuration: Configuration?, _ registry: ActionRegistry) throws -> TestFile {
        try TestFile(
            RunbookFile(file).sources(),
            CaseContext(file: file, base: configuration, registry: registry, executor: executor, coverage: coverage))
    }
}

extension Host {
    /// The names of a test's cases; none is run. Throws what is wrong with the file.
    public func lintTest(_ file: String) async throws -> [String] {
        let stage = TestStage()
        defer { stage.stop() }
        return try await stage.names(file, configuration, registry)
    }
}

extension RunbookTests {
    /// The configuration that counts where fixtures say nothing; nil where there is none and nobody named one.
    public static func configuration(_ file: String, isNamed: Bool) throws -> Configuration? {
        guard isNamed || TextFile.exists(PathText.absolute(file, in: PathText.workingFolder)) else { return nil }
        return try Configuration.load(file)
    }

    /// Writes a report. A file of an earlier time is replaced.
    public static func write(_ text: String, to file: String) throws {
        try StateFile.replace(PathText.absolute(file, in: PathText.workingFolder), with: text)
    }
}
