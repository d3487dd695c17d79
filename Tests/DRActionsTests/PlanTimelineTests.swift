import DRModel
import Testing

@testable import DRActions

/// What a plan says of time.
@Suite struct PlanTimelineTests {
    private func timeline() -> PlanTimeline {
        var past = PastDurations()
        for (verb, name, seconds) in [("stop", "a", 1), ("start", "a", 10), ("start", "b", 3), ("start", "c", 20)] {
            past.note(verb, ["application": .string(name)], took: .seconds(seconds))
        }
        return PlanTimeline(past)
    }

    @Test func `what stands one after the other adds up`() {
        var timeline = timeline()
        let (begin, _) = timeline.add("stop", ["application": "a"], branch: "0", failed: false)
        let (_, end) = timeline.add("start", ["application": "a"], branch: "0", failed: false)
        #expect(begin.elapsed == .zero && end.elapsed == .seconds(11) && end.unknowns == 0)
        #expect(PlanTimeline.path(from: begin, to: end).map(\.title) == ["stop a", "start a"])
    }

    @Test(arguments: [["a", "b", "c"], ["c", "b", "a"], ["b", "c", "a"]])
    func `branches run side by side, in whatever order they are told, and the last of them counts`(_ names: [String]) {
        var timeline = timeline()
        let begin = timeline.add("stop", ["application": "a"], branch: "0", failed: false).begin
        for name in names {
            let place = ["a": 1, "b": 2, "c": 3][name] ?? 0
            _ = timeline.add("start", ["application": .string(name)], branch: "0.2-\(place)", failed: false)
        }
        // A second wave, after all of the first.
        let end = timeline.add("start", ["application": "b"], branch: "0.3-1", failed: false).end
        #expect(end.elapsed == .seconds(24))
        #expect(PlanTimeline.path(from: begin, to: end).map(\.title) == ["stop a", "start c", "start b"])
    }

    @Test func `branches inside branches are waited for`() {
        var timeline = timeline()
        _ = timeline.add("start", ["application": "b"], branch: "0.1-1.1-1", failed: false)
        _ = timeline.add("start", ["application": "c"], branch: "0.1-1.1-2", failed: false)
        let end = timeline.add("start", ["application": "a"], branch: "0.1-1", failed: false).end
        #expect(end.elapsed == .seconds(30))
        #expect(timeline.add("stop", ["application": "a"], branch: "0.1-2", failed: false).end.elapsed == .seconds(1))
        #expect(timeline.add("stop", ["application": "a"], branch: "0", failed: false).end.elapsed == .seconds(31))
    }

    @Test func `what was never seen makes the time unknown, and is named`() {
        var timeline = timeline()
        let begin = timeline.add("stop", ["application": "a"], branch: "0", failed: false).begin
        let end = timeline.add("start", ["application": "new"], branch: "0", failed: false).end
        #expect(end.unknowns == begin.unknowns + 1)
        #expect(PlanTimeline.path(from: begin, to: end).filter { $0.duration == nil }.map(\.title) == ["start new"])
    }

    @Test func `people, windows and failures take no time`() {
        var timeline = timeline()
        #expect(timeline.add("approve", ["name": "go"], branch: "0", failed: false).end.unknowns == 0)
        #expect(timeline.add("window", [:], branch: "0", failed: false).end.elapsed == .zero)
        #expect(timeline.add("start", ["application": "new"], branch: "0", failed: true).end.unknowns == 0)
        #expect(timeline.add("sleep", ["duration": .duration(.seconds(7))], branch: "0", failed: false).end.elapsed == .seconds(7))
    }

    @Test func `of each action the median of the last five counts`() {
        var past = PastDurations()
        for seconds in [100, 100, 1, 2, 3, 4, 5] { past.note("stop", ["application": "a"], took: .seconds(seconds)) }
        #expect(past.expected("stop", ["application": "a"]) == .seconds(3))
        #expect(past.expected("stop", ["application": "b"]) == nil)
    }
}
