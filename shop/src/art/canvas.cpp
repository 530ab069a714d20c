#include "art/canvas.h"

#include <array>
#include <cmath>
#include <cstdio>
#include <numbers>

namespace shop::art {
namespace {

struct Metal {
  std::string_view name, light, bright, middle, dark, edge;
};
constexpr std::array kMetals{
    Metal{"yellow", "#fff6d2", "#f3d27a", "#d9a63c", "#9a6a1c", "#6d4710"},
    Metal{"white", "#ffffff", "#e9edf1", "#bcc4cc", "#7f8994", "#565f69"},
    Metal{"rose", "#fff0e8", "#f4c7b1", "#d9977a", "#9c5a40", "#6f3a27"},
};

struct StoneColours {
  std::string_view name, light, middle, dark;
};
constexpr std::array kStones{
    StoneColours{"diamond", "#ffffff", "#dff0fa", "#8fb4cc"},
    StoneColours{"ruby", "#ff9aa8", "#d3163f", "#6b0620"},
    StoneColours{"sapphire", "#9fc0ff", "#1c4fc4", "#0a1f5e"},
    StoneColours{"emerald", "#9ff0c5", "#0f8f5b", "#054229"},
    StoneColours{"jade", "#d3f3d6", "#5fb47a", "#2b6b45"},
    StoneColours{"topaz", "#d6f4ff", "#4fb3dc", "#1a6587"},
    StoneColours{"amethyst", "#e6ccff", "#8b4cc9", "#431a70"},
    StoneColours{"cz", "#ffffff", "#e8eef2", "#a5b3bd"},
    StoneColours{"pearl", "#ffffff", "#f3ebe2", "#b9a894"},
    StoneColours{"garnet", "#ff9d8a", "#a3201f", "#4d0a0d"},
};

template <class Table>
const auto& find_or_first(const Table& table, std::string_view name) {
  for (const auto& row : table) {
    if (row.name == name) return row;
  }
  return table.front();
}

std::string stop(std::string_view offset, std::string_view colour) {
  return "<stop offset=\"" + std::string(offset) + "\" stop-color=\"" + std::string(colour) + "\"/>";
}

std::string paints(const Metal& metal, const StoneColours& stone) {
  return "<linearGradient id=\"m\" x1=\"0\" y1=\"0\" x2=\"1\" y2=\"1\">" + stop("0", metal.bright) +
         stop(".22", metal.light) + stop(".45", metal.middle) + stop(".62", metal.bright) +
         stop(".82", metal.dark) + stop("1", metal.middle) +
         "</linearGradient><linearGradient id=\"n\" x1=\"1\" y1=\"0\" x2=\"0\" y2=\"1\">" +
         stop("0", metal.dark) + stop(".5", metal.middle) + stop("1", metal.edge) +
         "</linearGradient><radialGradient id=\"b\" cx=\".35\" cy=\".3\" r=\".8\">" + stop("0", metal.light) +
         stop(".45", metal.middle) + stop("1", metal.edge) +
         "</radialGradient><radialGradient id=\"g\" cx=\".38\" cy=\".32\" r=\".85\">" +
         stop("0", stone.light) + stop(".5", stone.middle) + stop("1", stone.dark) +
         "</radialGradient><radialGradient id=\"p\" cx=\".36\" cy=\".3\" r=\".8\">" + stop("0", "#ffffff") +
         stop(".45", "#f6efe8") + stop(".8", "#dccfc3") + stop("1", "#a89684") +
         "</radialGradient><radialGradient id=\"w\" cx=\".5\" cy=\".42\" r=\".75\">" + stop("0", "#fffdf9") +
         stop(".6", "#f6efe4") + stop("1", "#e6d9c6") + "</radialGradient><radialGradient id=\"s\">" +
         stop("0", "#5b4632") +
         "<stop offset=\"1\" stop-color=\"#5b4632\" stop-opacity=\"0\"/></radialGradient>";
}

std::string points_text(const std::vector<Point>& points) {
  std::string text;
  for (const auto& point : points) text += number(point.x) + ',' + number(point.y) + ' ';
  return text;
}

}  // namespace

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", value);
  return text;
}

Point on_ellipse(Point centre, double rx, double ry, double degrees) {
  const double angle = degrees * std::numbers::pi / 180;
  return {centre.x + rx * std::cos(angle), centre.y + ry * std::sin(angle)};
}

Point on_circle(Point centre, double radius, double degrees) {
  return on_ellipse(centre, radius, radius, degrees);
}

Canvas::Canvas(std::string_view colour, std::string_view stone) : colour_(colour), stone_(stone) {}

void Canvas::ellipse(Point centre, double rx, double ry, std::string_view attributes) {
  body_ += "<ellipse cx=\"" + number(centre.x) + "\" cy=\"" + number(centre.y) + "\" rx=\"" + number(rx) +
           "\" ry=\"" + number(ry) + "\" " + std::string(attributes) + "/>";
}

void Canvas::path(const std::string& data, std::string_view attributes) {
  body_ += "<path d=\"" + data + "\" " + std::string(attributes) + "/>";
}

void Canvas::polygon(const std::vector<Point>& points, std::string_view attributes) {
  body_ += "<polygon points=\"" + points_text(points) + "\" " + std::string(attributes) + "/>";
}

void Canvas::shadow(Point centre, double rx, double ry) {
  ellipse(centre, rx, ry, "fill=\"url(#s)\" opacity=\".35\"");
}

void Canvas::band(Point centre, double rx, double ry, double thick) {
  const auto ring = [](Point c, double x, double y) {
    return "M" + number(c.x - x) + ',' + number(c.y) + 'a' + number(x) + ',' + number(y) + " 0 1,0 " +
           number(2 * x) + ",0a" + number(x) + ',' + number(y) + " 0 1,0 " + number(-2 * x) + ",0z";
  };
  // The far wall's inside, then the front with its bevel: seen a little from above.
  path(ring(centre, rx, ry) + ring({centre.x, centre.y + thick * .35}, rx - thick * .75, ry - thick * .9),
       "fill=\"url(#n)\" fill-rule=\"evenodd\"");
  path(ring({centre.x, centre.y + thick * .12}, rx, ry) +
           ring({centre.x, centre.y - thick * .12}, rx - thick, ry - thick),
       "fill=\"url(#m)\" fill-rule=\"evenodd\"");
  ellipse({centre.x, centre.y}, rx - thick * .28, ry - thick * .28,
          "fill=\"none\" stroke=\"#fff\" stroke-opacity=\".55\" stroke-width=\"2.2\"");
}

void Canvas::gem(Point centre, double radius) {
  std::vector<Point> girdle;
  std::vector<Point> table;
  for (int i = 0; i < 16; ++i) girdle.push_back(on_circle(centre, radius, i * 22.5 + 11.25));
  for (int i = 0; i < 8; ++i) table.push_back(on_circle(centre, radius * .56, i * 45.0));
  polygon(girdle, "fill=\"url(#g)\" stroke=\"#000\" stroke-opacity=\".18\" stroke-width=\"1\"");
  for (int i = 0; i < 8; ++i) {
    const auto& a = table[static_cast<std::size_t>(i)];
    const auto& b = table[static_cast<std::size_t>((i + 1) % 8)];
    const auto tip = on_circle(centre, radius, i * 45.0 + 22.5);
    const double light = .12 + .38 * std::abs(std::cos((i * 45.0 - 215) * std::numbers::pi / 360));
    polygon({a, b, tip}, "fill=\"#fff\" fill-opacity=\"" + number(light * 10 / 10) + "\"");
    const auto left = on_circle(centre, radius, i * 45.0);
    polygon({a, left, tip},
            i % 2 == 0 ? "fill=\"#000\" fill-opacity=\".10\"" : "fill=\"#fff\" fill-opacity=\".22\"");
  }
  polygon(table,
          "fill=\"#fff\" fill-opacity=\".28\" stroke=\"#fff\" stroke-opacity=\".7\" stroke-width=\"1\"");
  polygon({on_circle(centre, radius * .5, 200), on_circle(centre, radius * .5, 260),
           on_circle(centre, radius * .12, 230)},
          "fill=\"#fff\" fill-opacity=\".8\"");
}

void Canvas::small_gem(Point centre, double radius) {
  circle(centre, radius, "fill=\"url(#g)\" stroke=\"#000\" stroke-opacity=\".2\" stroke-width=\".8\"");
  polygon({on_circle(centre, radius * .6, 0), on_circle(centre, radius * .6, 90),
           on_circle(centre, radius * .6, 180), on_circle(centre, radius * .6, 270)},
          "fill=\"#fff\" fill-opacity=\".45\"");
  circle({centre.x - radius * .3, centre.y - radius * .35}, radius * .18, "fill=\"#fff\"");
}

void Canvas::drop_gem(Point centre, double radius) {
  const auto x = centre.x;
  const auto y = centre.y;
  const auto outline = "M" + number(x) + ',' + number(y - radius * 1.75) + "C" + number(x + radius * .35) +
                       ',' + number(y - radius) + ' ' + number(x + radius) + ',' + number(y - radius * .55) +
                       ' ' + number(x + radius) + ',' + number(y) + "A" + number(radius) + ',' +
                       number(radius) + " 0 1,1 " + number(x - radius) + ',' + number(y) + "C" +
                       number(x - radius) + ',' + number(y - radius * .55) + ' ' + number(x - radius * .35) +
                       ',' + number(y - radius) + ' ' + number(x) + ',' + number(y - radius * 1.75) + 'z';
  path(outline, "fill=\"url(#g)\" stroke=\"#000\" stroke-opacity=\".2\"");
  for (int i = 0; i < 6; ++i) {
    const auto a = on_circle(centre, radius * .52, i * 60.0 - 30);
    const auto b = on_circle(centre, radius * .52, i * 60.0 + 30);
    const auto tip = i == 4 ? Point{x, y - radius * 1.55} : on_circle(centre, radius * .95, i * 60.0);
    polygon({a, b, tip},
            i % 2 == 0 ? "fill=\"#fff\" fill-opacity=\".30\"" : "fill=\"#000\" fill-opacity=\".10\"");
  }
  circle(centre, radius * .5, "fill=\"#fff\" fill-opacity=\".25\"");
  circle({x - radius * .25, y - radius * .3}, radius * .16, "fill=\"#fff\" fill-opacity=\".9\"");
}

void Canvas::pearl(Point centre, double radius) {
  circle(centre, radius, "fill=\"url(#p)\"");
  ellipse({centre.x - radius * .3, centre.y - radius * .38}, radius * .24, radius * .15,
          "fill=\"#fff\" fill-opacity=\".95\"");
  ellipse({centre.x + radius * .2, centre.y + radius * .55}, radius * .5, radius * .2,
          "fill=\"#f7d9d0\" fill-opacity=\".35\"");
}

void Canvas::bead(Point centre, double radius) {
  circle(centre, radius, "fill=\"url(#g)\"");
  ellipse({centre.x - radius * .3, centre.y - radius * .36}, radius * .26, radius * .16,
          "fill=\"#fff\" fill-opacity=\".85\"");
}

void Canvas::claws(Point centre, double radius, int count) {
  for (int i = 0; i < count; ++i) ball(on_circle(centre, radius, i * 360.0 / count + 45), radius * .13);
}

void Canvas::ball(Point centre, double radius) {
  circle(centre, radius, "fill=\"url(#b)\"");
}

void Canvas::link(Point centre, double rx, double ry, double degrees) {
  body_ +=
      "<g transform=\"rotate(" + number(degrees) + ' ' + number(centre.x) + ' ' + number(centre.y) + ")\">";
  ellipse(centre, rx, ry, "fill=\"none\" stroke=\"url(#m)\" stroke-width=\"" + number(rx * .5) + '"');
  body_ += "</g>";
}

std::string Canvas::finish() const {
  return "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"640\" height=\"640\" viewBox=\"0 0 640 "
         "640\"><defs>" +
         paints(find_or_first(kMetals, colour_), find_or_first(kStones, stone_)) +
         "</defs><rect width=\"640\" height=\"640\" fill=\"url(#w)\"/>" + body_ + "</svg>";
}

}  // namespace shop::art
