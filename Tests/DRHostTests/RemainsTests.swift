import DRActions
import DRModel
import DRSupport
import Testing

@testable import DRHost

/// What a plan was made of is let go of with the plan, or where that is asked for with the host.
@Suite(.waitsForProcesses) struct RemainsTests {
    @Test func `A host that stays keeps nothing of its plans`() async throws {
        let shop = try ShopFixture()
        let host = try shop.host()
        defer { host.close() }
        for _ in 0..<2 { #expect(try await host.plan(shop.file("runbooks/protect.lua")).outcome == .succeeded) }
        #expect(host.remains.withLock { $0 == nil })
    }

    @Test func `A host of one plan keeps what it was made of, says the same, and lets go of it at its end`() async throws {
        let shop = try ShopFixture()
        weak var kept: AnyObject?
        do {
            let host = try shop.host()
            defer { host.close() }
            let free = try await host.plan(shop.file("runbooks/protect.lua"))
            host.keepRemains()
            let planned = try await host.plan(shop.file("runbooks/protect.lua"))
            #expect(planned.effects.map(\.text) == free.effects.map(\.text) && planned.outcome == free.outcome)
            _ = try await host.plan(shop.file("runbooks/protect.lua"))
            #expect(host.remains.withLock { $0?.count } == 2)
            kept = host.remains.withLock { $0?.first?.clusters["west"] } as AnyObject?
            #expect(kept != nil)
        }
        #expect(kept == nil)
    }
}
