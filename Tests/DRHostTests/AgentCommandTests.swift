import DRModel
import Foundation
import Testing

/// What the agent of a site does and says, by its command.
@Suite(.waitsForProcesses) struct AgentCommandTests {
    private func guardedShop() throws -> ShopFixture {
        let shop = try ShopFixture()
        try shop.replace("dr.yaml", "east: { directory: sites/east }", "east: { directory: sites/east, selfFence: 2s }")
        #expect(try shop.drrunbook("run", "runbooks/protect.lua").status == 0)
        return shop
    }

    private func agent(_ shop: ShopFixture) throws -> (Process, Pipe) {
        let (process, pipe) = (Process(), Pipe())
        process.executableURL = ShopFixture.executable
        process.arguments = ["agent", "east"]
        process.currentDirectoryURL = shop.folder
        process.standardOutput = pipe
        process.standardError = pipe
        process.standardInput = FileHandle.nullDevice
        try process.start()
        while process.isRunning, !shop.exists("sites/west/.dr/agents/east.json") { usleep(10_000) }
        return (process, pipe)
    }

    @Test func `G1 an agent that is ended in a partition stops what the other site relies on, says so, and the next one starts it again`()
        throws
    {
        let shop = try guardedShop()
        let (process, pipe) = try agent(shop)
        try FileManager.default.moveItem(atPath: shop.file("sites/west"), toPath: shop.file("sites/away"))
        process.terminate()
        let told = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 8, "\(told)")
        #expect(told.contains("stopped at east, as was promised: ledger, storefront"), "\(told)")
        #expect(try shop.read("sites/east/resources/shop-web.yaml").contains("replicas: 0"))

        let status = try shop.drrunbook("status").output
        #expect(status.contains("ledger: it was stopped at east by its agent at "), "\(status)")
        #expect(!status.contains("`drrunbook runs` shows which run stopped it"), "\(status)")
        #expect(try shop.drrunbook("status", "--json").lines.first?["self_fenced"].isNull == false)

        try FileManager.default.moveItem(atPath: shop.file("sites/away"), toPath: shop.file("sites/west"))
        let again = try shop.drrunbook("agent", "east", "--once")
        #expect(again.status == 0 && again.output.contains("resumed ledger"), "\(again.output)\(again.error)")
        #expect(try !shop.drrunbook("status").output.contains("stopped at east"))
    }

    @Test func `An agent that is ended while all answer takes its promise back and stops nothing`() throws {
        let shop = try guardedShop()
        let (process, pipe) = try agent(shop)
        process.terminate()
        let told = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "\(told)")
        #expect(try !shop.drrunbook("status").output.contains("stopped at east"))
        #expect(try Value(json: shop.read("sites/west/.dr/agents/east.json"))["lease"].isNull)
    }
}
