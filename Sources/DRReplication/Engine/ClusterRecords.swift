internal import DRModel

// What the engine keeps in a cluster's documents, read as what it is.
extension Cluster {
    func record(of application: ApplicationName) async throws -> ApplicationRecord? {
        try await read(ApplicationRecord.self, .application(application), "\(application)")
    }

    /// The recovery points listed here, newest first.
    func points(of application: ApplicationName) async throws -> [RecoveryPoint] {
        var found: [RecoveryPoint] = []
        for path in try await documents(in: .points(of: application)) {
            if let point = try await read(RecoveryPoint.self, path, "recovery point \(path.lastName)") { found.append(point) }
        }
        return found.sorted { RecoveryPoint.isOlder($1, $0) }
    }

    func schedules() async throws -> [Schedule] {
        var found: [Schedule] = []
        for path in try await documents(in: .schedules) {
            if let schedule = try await read(Schedule.self, path, "schedule \(path.lastName)") { found.append(schedule) }
        }
        return found
    }

    /// Nil when there is none. Throws `damaged` for one that cannot be read.
    func read<T: Decodable>(_ type: T.Type, _ path: DocumentPath, _ what: String) async throws -> T? {
        guard let value = try await document(path) else { return nil }
        return try decoded(type, value, what)
    }

    func decoded<T: Decodable>(_ type: T.Type, _ value: Value, _ what: String) throws -> T {
        do {
            return try value.decoded(as: type)
        } catch let error as DRError {
            throw DRError(.damaged, "the record of \(what) at \(name) cannot be read: \(error.message)")
        } catch {
            throw DRError(.damaged, "the record of \(what) at \(name) cannot be read: \(error)")
        }
    }
}

extension DocumentPath {
    /// The last number given to a recovery point of the application, at its source: no two of one epoch are called the same, wherever they go.
    static func counter(_ application: ApplicationName) -> DocumentPath { DocumentPath("counters", application.text) }
    /// Which point of each destination holds all data of the stopped application; emptied when it starts again.
    static func synced(_ application: ApplicationName) -> DocumentPath { DocumentPath("synced", application.text) }

    var lastName: String { text.split(separator: "/").last.map(String.init) ?? text }
}
