// SVG text put together piece by piece; and what every drawing shares: paints, light, shadow. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace shop::art {

struct Point {
  double x = 0;
  double y = 0;
};
Point on_circle(Point centre, double radius, double degrees);
Point on_ellipse(Point centre, double rx, double ry, double degrees);

class Canvas {
 public:
  Canvas(std::string_view colour, std::string_view stone);

  void ellipse(Point centre, double rx, double ry, std::string_view attributes);
  void circle(Point centre, double radius, std::string_view attributes) {
    ellipse(centre, radius, radius, attributes);
  }
  void path(const std::string& data, std::string_view attributes);
  void polygon(const std::vector<Point>& points, std::string_view attributes);
  void raw(std::string_view markup) { body_ += markup; }

  // An upright band seen a little from above: outer radii, and how thick it is.
  void band(Point centre, double rx, double ry, double thick);
  void shadow(Point centre, double rx, double ry);
  // Stones, in the drawing's own kind. A brilliant from above:
  void gem(Point centre, double radius);  // without claws
  void small_gem(Point centre, double radius);
  void drop_gem(Point centre, double radius);
  void pearl(Point centre, double radius);
  void bead(Point centre, double radius);  // of the stone, polished
  void claws(Point centre, double radius, int count);
  void ball(Point centre, double radius);  // of metal
  void link(Point centre, double rx, double ry, double degrees);

  std::string finish() const;

 private:
  std::string colour_;
  std::string stone_;
  std::string body_;
};

std::string number(double value);

}  // namespace shop::art
