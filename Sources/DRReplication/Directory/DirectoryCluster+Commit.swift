internal import DRManifest
public import DRModel
internal import DRSupport

extension DirectoryCluster {
    public func commit(_ transaction: Transaction) async throws -> Committed {
        let committed = try await alone {
            try requireOwnLocks(for: transaction)
            if let record = try record(of: transaction.key, nil) { return record.committed }
            var read: ResourceFiles?
            func resources() throws -> ResourceFiles {
                let found = try read ?? cache.known(transaction.objects, in: folder) ?? .read(in: folder, pending: nil, cache: cache)
                read = found
                return found
            }
            try check(transaction.guards, resources)
            let intent = try intent(of: transaction, resources)
            try folder.write(intent)
            failpoint("commit.intended")
            try folder.carryOut(intent)
            return Committed(effects: transaction.effects, answer: transaction.answer, repeated: false)
        }
        await discardReplaced(transaction)
        return committed
    }

    /// Runs `body` with the cluster's commit lock, after what a dead process left half done was carried out to its end.
    func alone<Result>(_ body: () throws -> Result) async throws -> Result {
        let lock = try await commitLock()
        defer { lock.release() }
        return try folder.reach {
            if let pending = try folder.pendingIntent() {
                try folder.carryOut(pending)
                failpoint("commit.rolled-forward")
            }
            return try body()
        }
    }

    // Asked again and again, with a bound: a paused process must not hold us for ever.
    private func commitLock() async throws -> any StoreLock {
        try folder.reach {
            try folder.requireLocalFilesystem()
            try folder.makeFolder(folder.own)
        }
        for _ in 0..<1500 {
            if let lock = try folder.reach({ try folder.io.lock(folder.commitLock, wait: false) }) { return lock }
            try await clock.sleep(for: .milliseconds(20))
        }
        throw DRError(
            .locked, "cluster \(name) has been in the middle of another commit for 30 seconds",
            hint: "look for a drrunbook process that is paused or hangs; the lock goes with it")
    }

    // MARK: Guards

    private func check(_ guards: [Guard], _ resources: () throws -> ResourceFiles) throws {
        for condition in guards {
            switch condition {
            case .epoch(let application, let expected): try check(application, expected)
            case .document(let path, let expected):
                guard try document(DocumentFile.path(of: path), nil) == expected else {
                    throw DRError(.conflict, "\(path) of cluster \(name) is not what it was: somebody else changed it", hint: "try again")
                }
            case .object(let key, let expected):
                guard try resources().manifest(key)?.text == expected else {
                    throw DRError(.conflict, "\(key) of cluster \(name) is not what it was: somebody else changed it", hint: "try again")
                }
            case .promise(let other, let mark, let contact):
                guard try notedMark(of: other) == mark, try notedContact(with: other) == contact else {
                    throw DRError(.conflict, "\(other) or its agent was heard of at \(name) meanwhile", hint: "try again")
                }
            }
        }
    }

    private func check(_ application: ApplicationName, _ expected: Epoch) throws {
        let record = try document(DocumentFile.path(of: .application(application)), nil)
        let epoch = record?["epoch"].integer.map(Epoch.init) ?? .first
        guard epoch != expected else { return }
        let active = record?["active"].string
        let known = active.map { ", where it is known to be active at \($0)" } ?? ""
        var details: [String: Value] = [
            "application": .string(application.text), "epoch": .integer(epoch.number), "expected": .integer(expected.number),
        ]
        details["active"] = active.map(Value.string)
        throw DRError(
            .fenced, "\(application) holds epoch \(epoch) at \(name)\(known); a change made for epoch \(expected) is refused",
            hint: "look at `drrunbook status`: the application was moved by somebody else",
            details: .map(details))
    }

    // MARK: From changes to files

    private func intent(of transaction: Transaction, _ resources: () throws -> ResourceFiles) throws -> Intent {
        var files: [Intent.FileChange] = []
        var documents: [String: String?] = [:]
        var objects: [Intent.DocumentChange] = []
        var swaps: [Intent.Swap] = []
        var kept: [VolumeName: String] = [:]
        var drops: [Intent.Drop] = []
        for change in transaction.changes {
            switch change {
            case .put(let object): objects.append(Intent.DocumentChange(key: object.key, text: object.text))
            case .delete(let key): objects.append(Intent.DocumentChange(key: key, text: nil))
            case .write(let path, let value): documents.updateValue(value.json() + "\n", forKey: try DocumentFile.path(of: path))
            case .remove(let path): documents.updateValue(nil, forKey: try DocumentFile.path(of: path))
            case .swap(let staged): swaps.append(try swap(staged))
            case .drop(let volume): drops += try drop(volume)
            case .keep(let volume, let application, let epoch): kept[volume] = "\(application)-e\(epoch)"
            }
        }
        for index in swaps.indices { swaps[index].keeps = kept[swaps[index].volume] }
        if !objects.isEmpty {
            files += try resources().edits(objects).map {
                Intent.FileChange(path: $0.path, text: $0.text, replaces: $0.replaces.map { Digest.hex(of: $0) }, documents: $0.documents)
            }
        }
        files += documents.sorted { $0.key < $1.key }.map { Intent.FileChange(path: $0.key, text: $0.value) }
        // Last: who finds the record finds everything else.
        let record = CommitRecord(key: transaction.key, effects: transaction.effects, answer: transaction.answer)
        files.append(Intent.FileChange(path: CommitRecord.path(of: transaction.key), text: try Value(encoding: record).json() + "\n"))
        return Intent(key: transaction.key, files: files, swaps: swaps, drops: drops)
    }

    private func drop(_ volume: VolumeName) throws -> [Intent.Drop] {
        guard let live = try StagingLayout(cluster: folder.root).findLive(volume, io: folder.io),
            let facts = try folder.io.facts(live.path)
        else { return [] }
        return [Intent.Drop(volume: volume, kind: live.kind, device: String(facts.device), inode: String(facts.inode))]
    }

    private func swap(_ staged: StagedVolume) throws -> Intent.Swap {
        let layout = StagingLayout(cluster: folder.root)
        guard let found = try layout.findStaged(staged.volume, key: staged.key, io: folder.io), let facts = try folder.io.facts(found.path)
        else {
            throw DRError(.volumeMissing, "nothing is staged for volume \(staged.volume) of cluster \(name) under \(staged.key)")
        }
        let live = try layout.findLive(staged.volume, io: folder.io)
        return Intent.Swap(
            volume: staged.volume, kind: found.kind, key: staged.key, device: String(facts.device), inode: String(facts.inode),
            displaces: live.flatMap { $0.kind == found.kind ? nil : $0.kind })
    }

    // What was live stands in the staging folder now. Removing it may fail without harm: the same commit, asked for again, tries again. A folder that holds
    // volumes of other commits is left alone.
    private func discardReplaced(_ transaction: Transaction) async {
        var swapped: [OperationKey: Set<String>] = [:]
        for case .drop(let volume) in transaction.changes {
            swapped[transaction.key, default: []].formUnion([volume.text, volume.text + ".img"])
        }
        for case .swap(let staged) in transaction.changes {
            swapped[staged.key, default: []].formUnion([staged.volume.text, staged.volume.text + ".img"])
        }
        for (key, names) in swapped.sorted(by: { $0.key.text < $1.key.text }) {
            guard let left = try? folder.names(in: StagingLayout(cluster: folder.root).folder(of: key)), Set(left).isSubset(of: names)
            else {
                continue
            }
            try? await volumes.discard(key)
        }
    }
}

extension Transaction {
    /// Those it looks at or changes.
    fileprivate var objects: Set<ObjectKey> {
        var keys: Set<ObjectKey> = []
        for case .object(let key, _) in guards { keys.insert(key) }
        for change in changes {
            switch change {
            case .put(let object): keys.insert(object.key)
            case .delete(let key): keys.insert(key)
            default: break
            }
        }
        return keys
    }
}
