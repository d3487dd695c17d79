internal import DRActions
internal import DRModel
internal import DRSupport

/// What would keep a run's records from being copied to a cluster keeps its plan from going on, too. Nothing is written.
struct PlannedMirror: RunMirror {
    private let configuration: Configuration
    private let lost: LostClusters?
    /// What was found when it was first looked: a plan is a picture of one time.
    private let answers = Lock<[ClusterName: Bool]>([:])

    init(configuration: Configuration, lost: LostClusters?) {
        self.configuration = configuration
        self.lost = lost
    }

    func claim(_ run: RunID) throws {}

    func write(_ run: RunID, for occasions: [(MirrorOccasion, at: CallPlace?)]) throws -> [DRError?] {
        try occasions.map { occasion, place -> DRError? in
            do {
                try CallPlace.$current.withValue(place) { try reach(for: occasion) }
                return nil
            } catch let error as DRError { return error }
        }
    }

    private func reach(for occasion: MirrorOccasion) throws {
        switch occasion {
        case .change(let input):
            guard let cluster = configuration.recordPlace(of: input) else { return try reachAny() }
            try reach(cluster)
        case .outside: try reachAny()
        case .rest: break
        }
    }

    private func reach(_ cluster: ClusterDeclaration) throws {
        if lost?.contains(cluster.name) == true {
            lost?.touch(cluster.name, "the copy of the run's record")
            throw DRError(.clusterUnreachable, "\(cluster.name) does not answer: the plan was asked for without it")
        }
        guard answers(cluster) else { throw ClusterMirror.unreachable(cluster) }
    }

    private func answers(_ cluster: ClusterDeclaration) -> Bool {
        answers.withLock { answers in
            if let known = answers[cluster.name] { return known }
            let answer = RunCopy.answers(cluster)
            answers[cluster.name] = answer
            return answer
        }
    }

    private func reachAny() throws {
        // One is enough, and then nothing is missed of the others.
        if configuration.clusters.contains(where: { lost?.contains($0.name) != true && answers($0) }) { return }
        var failure: DRError?
        for cluster in configuration.clusters {
            do { try reach(cluster) } catch let error as DRError { failure = failure ?? error }
        }
        if let failure { throw ClusterMirror.nowhere(failure) }
    }
}
