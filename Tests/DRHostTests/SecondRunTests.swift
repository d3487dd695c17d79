import DRHost
import DRModel
import Foundation
import Testing

/// Another run while one goes on.
@Suite(.waitsForProcesses) struct SecondRunTests {
    private func shop(_ seconds: String) throws -> ShopFixture {
        let shop = try ShopFixture()
        try shop.write(
            "runbooks/wait.lua", "return dr.runbook { name = 'wait', run = function() dr.sleep('\(seconds)') end }")
        return shop
    }

    @Test func `a second run is told which run goes on, since when, and how to put it down`() throws {
        let shop = try shop("10m")
        let running = try RunningRun(shop, "runbooks/wait.lua", until: "sleep")
        let second = try shop.drrunbook("run", "runbooks/protect.lua")
        #expect(second.status == 5)
        for part in [
            "run \(running.name) of runbooks/wait.lua goes on since 20", "process \(running.process.processIdentifier)",
            "`drrunbook pause \(running.name)`", "`drrunbook stop \(running.name)` lets its applications go",
        ] { #expect(second.error.contains(part), "\(second.error)") }
        #expect(try shop.drrunbook("pause", running.name).status == 0)
        running.process.waitUntilExit()
        #expect(try shop.drrunbook("run", "runbooks/protect.lua").status == 0)
    }

    @Test func `a second run waits a moment for one that is about to end`() throws {
        let shop = try shop("2s")
        let running = try RunningRun(shop, "runbooks/wait.lua", until: "sleep")
        let second = try shop.drrunbook("run", "runbooks/protect.lua")
        #expect(second.status == 0, "\(second.error)")
        running.process.waitUntilExit()
    }

    @Test func `a second run is told that a job of serve goes on`() async throws {
        let shop = try shop("10m")
        try shop.write("dr.yaml", shop.read("dr.yaml") + "\njobs:\n  nightly: { runbook: runbooks/wait.lua, cron: \"* * * * *\" }\n")
        let job = try shop.host()
        let run = Task { await job.run(try #require(job.configuration.jobs.first)) }
        var name: String?
        while name == nil {
            guard shop.exists(".drrunbook/running") else {
                try await Task.sleep(for: .milliseconds(20))
                continue
            }
            name = try Value(json: shop.read(".drrunbook/running"))["run"].string
        }
        let second = try shop.drrunbook("run", "runbooks/protect.lua")
        #expect(second.status == 5 && second.error.contains("the job nightly of `drrunbook serve`"), "\(second.error)")
        #expect(try shop.drrunbook("pause", try #require(name)).status == 0)
        _ = run
    }
}
