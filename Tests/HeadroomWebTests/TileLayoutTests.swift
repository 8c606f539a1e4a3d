import Testing

@testable import HeadroomWeb

struct TileLayoutTests {
    private func holder(_ session: UInt64, _ program: String?, isSleeping: Bool = true, inTransaction: Bool = false)
        -> TileLayout.Holder
    {
        TileLayout.Holder(
            session: session,
            program: program,
            isSleeping: isSleeping,
            inTransaction: inTransaction,
            detail: ""
        )
    }

    @Test func `There is one tile for each connection of the limit, the reserved ones last`() {
        let layout = TileLayout(
            [holder(1, "a"), holder(2, "b", isSleeping: false), holder(3, "a", inTransaction: true)],
            used: 3,
            limit: 8,
            reserve: 2
        )
        #expect(layout.tiles.map(\.kind) == [.idle, .transaction, .active, .free, .free, .free, .reserved, .reserved])
        #expect(layout.tiles.compactMap(\.session) == [1, 3, 2])
        #expect(layout.key.map(\.program) == ["a", "b"])
    }

    @Test func `What is in use but cannot be seen is shown as such`() {
        let layout = TileLayout([holder(1, nil)], used: 3, limit: 4, reserve: 1)
        #expect(layout.tiles.map(\.kind) == [.idle, .unseen, .unseen, .reserved])
    }

    @Test func `A full account has no reserved tile, one without a known limit no free ones`() {
        #expect(TileLayout([holder(1, "a")], used: 1, limit: 1, reserve: 1).tiles.map(\.kind) == [.idle])
        #expect(TileLayout([holder(1, "a")], used: 1, limit: nil, reserve: 1).tiles.map(\.kind) == [.idle])
    }

    @Test func `A limit of a hundred thousand draws 240 tiles and says how many are left out`() {
        let layout = TileLayout([holder(1, "a")], used: 1, limit: 100_000, reserve: 1)
        #expect(layout.tiles.count == TileLayout.most)
        #expect(layout.notDrawn == 100_000 - TileLayout.most)
        #expect(layout.tiles.last?.kind == .reserved)
    }

    @Test func `Eight programs have eight colours, and a ninth has one of them`() {
        let programs = (1...9).map { "program \($0)" }
        #expect(Set(TileLayout.colours(of: Array(programs.prefix(8))).values).count == 8)
        #expect(TileLayout.colours(of: programs).count == 9)
    }

    @Test func `A program keeps its colour when another of no near name goes`() {
        let alone = TileLayout.colours(of: ["php-fpm"])["php-fpm"]
        #expect(TileLayout.colours(of: ["php-fpm"])["php-fpm"] == alone)
        #expect(TileLayout.colours(of: ["aardvark", "php-fpm"]).values.allSatisfy { (0..<8).contains($0) })
    }
}
