internal import DRActions
internal import DRModel
internal import DRReplication

/// How a running process hears that its run is to end: files in the state folder, looked at five times a second.
struct FileControl: RunControl {
    let state: String
    let process: Int32
    /// Of `serve`, where the run is one.
    let job: String?
    let clock: any WallClock
    /// Is an approval signed as it says?
    let isGenuine: @Sendable (Approval) throws -> Bool

    private var mark: String { state + "/running" }
    private func wish(_ run: RunID) -> String { "\(state)/stop-\(run)" }

    /// Notes which run this process carries on. A wish from before is over: somebody took the run up since.
    func begun(_ run: RunID) throws {
        try removeWish(run)
        let text: Value = [
            "run": .string(run.text), "process": .integer(Int64(process)), "job": job.map(Value.string) ?? .null,
        ]
        try StateFile.replace(mark, with: text.json() + "\n")
    }

    func request(for run: RunID, deadline: @escaping @Sendable () -> Instant?) async -> StopRequest? {
        while true {
            do {
                if let text = try TextFile.read(wish(run), shown: "a request to stop") {
                    let request = try StopRequest(payload: Value(json: text))
                    try removeWish(run)
                    return request
                }
                if try !waitingApprovals(run).isEmpty { return nil }
                if let deadline = deadline(), deadline <= clock.now() { return nil }
                try await clock.sleep(for: .milliseconds(200))
            } catch is CancellationError {
                return nil
            } catch {
                return StopRequest(.hold, who: "a request to stop that cannot be read (\(error))")
            }
        }
    }

    func approvals(for run: RunID) throws -> WaitingApprovals {
        let io = SystemStoreIO()
        var waiting = WaitingApprovals()
        do {
            for path in try waitingApprovals(run) {
                do {
                    guard let text = try TextFile.read(path, shown: path) else { continue }
                    let approval = try Value(json: text).decoded(as: Approval.self)
                    guard try isGenuine(approval) else {
                        throw DRError(.notAllowed, "its signature is not \(approval.statement.person)'s")
                    }
                    waiting.taken.append((path, approval))
                } catch let failure as IOFailure {
                    throw failure
                } catch {
                    // One bad file must not keep a run from going on. It stays, for a person to look at.
                    let aside = path + Self.refused
                    try io.rename(StorePath(path), StorePath(aside), .replace)
                    waiting.setAside.append(
                        DRError(
                            .invalidInput, "\(path) holds no approval and was set aside: \((error as? DRError)?.message ?? "\(error)")",
                            hint: "it is \(aside) now; `drrunbook approve` writes such files"))
                }
            }
        } catch let failure as IOFailure {
            throw DRError(.io, "an approval cannot be taken: \(failure)")
        }
        return waiting
    }

    func recorded(_ token: String, for run: RunID) throws {
        do { try SystemStoreIO().removeFile(StorePath(token)) } catch let failure as IOFailure {
            throw DRError(.io, "an approval that was recorded cannot be removed: \(failure)")
        }
    }

    /// The ending of a file that was looked at and is none of ours.
    private static let refused = ".refused"

    /// Leaves an approval that was identified for the process that carries the run on. Returns what `isWaiting` is asked with.
    func leave(_ approval: Approval, for run: RunID, name: String) throws -> String {
        let path = "\(inbox(run))/\(name)"
        try StateFile.replace(path, with: Value(encoding: approval).json() + "\n")
        return path
    }

    /// What nobody has taken is not left any more.
    func takeBack(_ path: String) throws {
        do { if isWaiting(path) { try SystemStoreIO().removeFile(StorePath(path)) } } catch let failure as IOFailure {
            // Taken between the two.
            guard failure.code == 2 else { throw DRError(.io, "\(path) cannot be removed: \(failure)") }
        }
    }

    /// Nobody has taken it yet.
    func isWaiting(_ path: String) -> Bool { TextFile.exists(path) }

    private func inbox(_ run: RunID) -> String { "\(state)/approvals/\(run)" }

    private func waitingApprovals(_ run: RunID) throws -> [String] {
        let io = SystemStoreIO(), folder = inbox(run)
        guard try io.facts(StorePath(folder))?.kind == .folder else { return [] }
        return try io.list(StorePath(folder)).map { String(decoding: $0, as: UTF8.self) }.filter { name in
            ![".new", Self.refused].contains { name.hasSuffix($0) }
        }.sorted()
            .map { "\(folder)/\($0)" }
    }

    /// Leaves a wish for the process that carries the run on. Returns what `isWaiting` is asked with.
    func leave(_ request: StopRequest, for run: RunID) throws -> String {
        try StateFile.replace(wish(run), with: request.payload.json() + "\n")
        return wish(run)
    }

    /// What was left is gone when this returns true; after `patience` nobody has looked yet. A process looks five times a second, but not while it waits for a disk.
    func isTaken(_ path: String, patience: Duration) async throws -> Bool {
        let end = clock.now() + patience
        while isWaiting(path) {
            guard clock.now() < end else { return false }
            try await clock.sleep(for: .milliseconds(50))
        }
        return true
    }

    /// The process that was last seen to carry on `run`, if it was that one.
    func lastProcess(of run: RunID) throws -> Int32? { try last.flatMap { $0.run == run ? $0.process : nil } }

    /// What a process of this state folder carried on last; it may have ended.
    var last: (run: RunID, process: Int32, job: String?)? {
        get throws {
            guard let text = try TextFile.read(mark, shown: mark), let value = try? Value(json: text),
                let run = value["run"].string.flatMap({ try? RunID($0) }), let process = value["process"].integer
            else { return nil }
            return (run, Int32(truncatingIfNeeded: process), value["job"].string)
        }
    }

    private func removeWish(_ run: RunID) throws {
        let io = SystemStoreIO()
        do {
            if try io.facts(StorePath(wish(run))) != nil { try io.removeFile(StorePath(wish(run))) }
        } catch let failure as IOFailure {
            throw DRError(.io, "a request to stop cannot be taken: \(failure)")
        }
    }
}

/// Small files of ours in the state folder, replaced as a whole.
enum StateFile {
    static func replace(_ path: String, with text: String) throws {
        let io = SystemStoreIO()
        do {
            let folder = PathText.folder(of: path)
            try NewFile.makeFolders(folder, shown: folder)
            let beside = StorePath(path + ".new")
            if try io.facts(beside) != nil { try io.removeFile(beside) }
            try NewFile.write(text, to: beside.description, shown: beside.description)
            try io.rename(beside, StorePath(path), .replace)
            try io.syncFolder(StorePath(folder))
        } catch let failure as IOFailure {
            throw DRError(failure.code == 28 ? .noSpace : .io, "\(path) cannot be written: \(failure)")
        }
    }
}
