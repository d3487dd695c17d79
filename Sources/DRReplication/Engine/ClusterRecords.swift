package import DRModel

// What the engine keeps in a cluster's documents, read as what it is.
extension Cluster {
    func record(of application: ApplicationName) async throws -> ApplicationRecord? {
        try await document(.application(application)).map { value in try reading("\(application)") { try ApplicationRecord(value) } }
    }

    /// The recovery points listed here, newest first. Files with other names are none of ours. A damaged one hides no other.
    func points(of application: ApplicationName) async throws -> Listed<RecoveryPoint> {
        var listed = try await listing(.points(of: application), where: { PointName($0, of: application) != nil }) { path, value in
            do {
                return try SealedPoint.point(in: value, named: path.lastName, of: application)
            } catch let error as DRError {
                throw damaged("recovery point \(path.lastName)", error.message)
            }
        }
        listed.sound.sort { RecoveryPoint.isOlder($1, $0) }
        return listed
    }

    func schedules() async throws -> Listed<Schedule> {
        try await listing(.schedules) { path, value in try decoded(Schedule.self, value, "schedule \(path.lastName)") }
    }

    func drills() async throws -> Listed<DrillRecord> {
        try await listing(.drills) { path, value in try decoded(DrillRecord.self, value, "drill \(path.lastName)") }
    }

    func pairs() async throws -> Listed<ClusterPair> {
        try await listing(.pairs) { path, value in try decoded(ClusterPair.self, value, "pair \(path.lastName)") }
    }

    /// Each record by itself: what one of them throws for its content is kept with it.
    private func listing<Record>(
        _ folder: DocumentPath, where isOurs: (String) -> Bool = { _ in true }, _ read: (DocumentPath, Value) throws -> Record
    ) async throws -> Listed<Record> {
        var listed = Listed<Record>()
        for path in try await documents(in: folder) where isOurs(path.lastName) {
            do {
                // One that was removed meanwhile is no longer listed.
                if let value = try await document(path) { listed.sound.append(try read(path, value)) }
            } catch let error as DRError where error.isOfOneRecord {
                listed.damaged.append(DamagedRecord(path: path, error: error))
            }
        }
        return listed
    }

    /// Nil when there is none. Throws `damaged` for one that cannot be read.
    func read<T: Decodable>(_ type: T.Type, _ path: DocumentPath, _ what: String) async throws -> T? {
        guard let value = try await document(path) else { return nil }
        return try decoded(type, value, what)
    }

    func decoded<T: Decodable>(_ type: T.Type, _ value: Value, _ what: String) throws -> T {
        try reading(what) { try value.decoded(as: type) }
    }

    private func reading<T>(_ what: @autoclosure () -> String, _ body: () throws -> T) throws -> T {
        do {
            return try body()
        } catch let error as DRError {
            throw damaged(what(), error.message)
        } catch {
            throw damaged(what(), "\(error)")
        }
    }

    private func damaged(_ what: String, _ why: String) -> DRError {
        DRError(.damaged, "the record of \(what) at \(name) cannot be read: \(why)")
    }
}

extension Cluster {
    /// What the newest recovery point here is worth of those that were taken of a running application; nil when there is none.
    package func lastTakenWhileRunning(of application: ApplicationName) async throws -> Consistency? {
        try await points(of: application).sound.first { $0.consistency != .application }?.consistency
    }
}

extension DRError {
    /// Says something of one record, not of the cluster that keeps it.
    var isOfOneRecord: Bool { [.damaged, .invalidInput, .io].contains(code) }
}

extension DocumentPath {
    /// The last number given to a recovery point of the application, at its source: no two of one epoch are called the same, wherever they go.
    static func counter(_ application: ApplicationName) -> DocumentPath { DocumentPath("counters", application.text) }
    /// When a scrub last came to the end of the application's own copy here, by store.
    static func scrubbed(_ application: ApplicationName) -> DocumentPath { DocumentPath("scrubbed", application.text) }
    /// Which commit stopped the application here; gone when it starts again. What was copied since another stop is not all there is.
    static func stopped(_ application: ApplicationName) -> DocumentPath { DocumentPath("stopped", application.text) }
    /// Which point of each destination holds all data of the stopped application; emptied when it starts again.
    static func synced(_ application: ApplicationName) -> DocumentPath { DocumentPath("synced", application.text) }
}
