import MeterImport
import Testing

@testable import HeadroomWeb

struct BarChartTests {
    @Test func `The highest bar fills the drawing, and figures below zero draw nothing`() throws {
        var stored = StoredDays()
        stored.days = [
            .init(label: "2025-05-01", value: 50), .init(label: "2025-05-02", value: 200),
            .init(label: "2025-05-03", value: -1),
        ]
        let chart = try #require(BarChart(month: stored))
        #expect(chart.bars.map(\.h) == ["25.00", "100.00", "0.00"])
        #expect(chart.bars.map(\.y) == ["75.00", "0.00", "100.00"])
        #expect(chart.title == "The days of 2025-05")
        #expect(chart.most == "200 kWh")
        #expect(chart.labels == ["01", "02", "03"])
    }

    @Test func `Without readings there is no chart, and one reading a day makes no curve`() {
        #expect(BarChart(month: StoredDays()) == nil)
        var stored = StoredDays()
        stored.day = "2025-05-01"
        stored.times = [.init(label: "", value: 1)]
        #expect(BarChart(day: stored) == nil)
    }
}
