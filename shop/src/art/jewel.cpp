#include "art/jewel.h"

#include <array>
#include <cmath>
#include <functional>
#include <numbers>

#include "art/canvas.h"

namespace shop::art {
namespace {

using Draw = void (*)(Canvas&, bool stone);
constexpr Point kMiddle{320, 330};

// ---- rings ----

void ring_shadow(Canvas& canvas) {
  canvas.shadow({320, 560}, 190, 26);
}

void band(Canvas& canvas, bool stone) {
  ring_shadow(canvas);
  canvas.band(kMiddle, 180, 205, 46);
  if (stone) canvas.small_gem({320, 146}, 15);
}

void solitaire(Canvas& canvas, bool) {
  ring_shadow(canvas);
  canvas.band({320, 375}, 160, 175, 24);
  canvas.path("M286,222 L300,176 L340,176 L354,222 z", "fill=\"url(#n)\"");
  canvas.gem({320, 150}, 62);
  canvas.claws({320, 150}, 62, 4);
}

void halo(Canvas& canvas, bool) {
  ring_shadow(canvas);
  canvas.band({320, 385}, 158, 168, 22);
  for (int i = -4; i <= 4; ++i) {
    if (i != 0) canvas.small_gem(on_ellipse({320, 385}, 148, 158, -90 + i * 11.0), 9);
  }
  canvas.circle({320, 165}, 84, "fill=\"url(#m)\"");
  for (int i = 0; i < 20; ++i) canvas.small_gem(on_circle({320, 165}, 72, i * 18.0), 10.5);
  canvas.gem({320, 165}, 58);
}

void trilogy(Canvas& canvas, bool) {
  ring_shadow(canvas);
  canvas.band({320, 385}, 160, 170, 26);
  canvas.gem({228, 196}, 38);
  canvas.gem({412, 196}, 38);
  canvas.claws({228, 196}, 38, 4);
  canvas.claws({412, 196}, 38, 4);
  canvas.gem({320, 172}, 56);
  canvas.claws({320, 172}, 56, 4);
}

void eternity(Canvas& canvas, bool) {
  ring_shadow(canvas);
  canvas.band(kMiddle, 182, 205, 44);
  for (int i = 0; i < 28; ++i)
    canvas.small_gem(on_ellipse({kMiddle.x, kMiddle.y}, 160, 183, i * 360.0 / 28), 15);
}

void twist(Canvas& canvas, bool stone) {
  ring_shadow(canvas);
  canvas.band({308, 340}, 168, 195, 20);
  canvas.band({332, 326}, 168, 195, 20);
  canvas.path("M262,150 C300,196 344,112 384,160",
              "fill=\"none\" stroke=\"url(#m)\" stroke-width=\"20\" stroke-linecap=\"round\"");
  if (stone) {
    canvas.gem({322, 150}, 34);
    canvas.claws({322, 150}, 34, 4);
  }
}

void signet(Canvas& canvas, bool stone) {
  ring_shadow(canvas);
  canvas.band({320, 375}, 165, 178, 36);
  canvas.path("M222,238 C232,140 408,140 418,238 C390,262 250,262 222,238 z",
              "fill=\"url(#m)\" stroke=\"#fff\" stroke-opacity=\".5\" stroke-width=\"2\"");
  if (stone)
    canvas.bead({320, 204}, 40);
  else
    canvas.path("M280,206 h80 M320,178 v56",
                "stroke=\"url(#n)\" stroke-width=\"5\" stroke-linecap=\"round\"");
}

void pair(Canvas& canvas, bool stone) {
  canvas.shadow({320, 545}, 230, 26);
  canvas.band({250, 350}, 140, 160, 34);
  canvas.band({398, 372}, 122, 140, 28);
  if (stone) {
    for (int i = -1; i <= 1; ++i) canvas.small_gem(on_ellipse({398, 372}, 109, 127, -90 + i * 13.0), 11);
  }
}

// ---- necks and wrists ----

// Points along a necklace lying in a drawn-out U.
Point on_necklace(double part) {
  const double angle = std::numbers::pi * (1.12 * part - .06);
  return {320 - 205 * std::cos(angle), 130 + 330 * std::sin(angle) * (.62 + .38 * std::sin(angle))};
}

void along_necklace(int count, const std::function<void(Point, double degrees, int)>& put) {
  for (int i = 0; i < count; ++i) {
    const double part = (i + .5) / count;
    const auto a = on_necklace(part - .004);
    const auto b = on_necklace(part + .004);
    put(on_necklace(part), std::atan2(b.y - a.y, b.x - a.x) * 180 / std::numbers::pi, i);
  }
}

void fine_chain(Canvas& canvas, int count = 74) {
  along_necklace(
      count, [&](Point at, double degrees, int i) { canvas.link(at, 9, i % 2 == 0 ? 5.5 : 2.5, degrees); });
}

void chain(Canvas& canvas, bool) {
  canvas.shadow({320, 520}, 200, 26);
  along_necklace(46,
                 [&](Point at, double degrees, int i) { canvas.link(at, 15, i % 2 == 0 ? 10 : 4, degrees); });
}

void pearls(Canvas& canvas, bool) {
  canvas.shadow({320, 520}, 210, 26);
  along_necklace(37, [&](Point at, double, int i) {
    canvas.pearl(at, 13 + 6 * std::sin(std::numbers::pi * (i + .5) / 37));
  });
}

void tennis_necklace(Canvas& canvas, bool) {
  canvas.shadow({320, 520}, 210, 26);
  along_necklace(45, [&](Point at, double, int) {
    canvas.ball(at, 13.5);
    canvas.small_gem(at, 10.5);
  });
}

void hang(Canvas& canvas, const std::function<void(Point)>& put) {
  canvas.shadow({320, 575}, 130, 20);
  fine_chain(canvas);
  const auto low = on_necklace(.5);
  canvas.link({low.x, low.y + 12}, 7, 12, 0);
  put({low.x, low.y + 22});
}

void pendant_drop(Canvas& canvas, bool) {
  hang(canvas, [&](Point at) {
    canvas.drop_gem({at.x, at.y + 56}, 34);
    canvas.ball({at.x, at.y}, 7);
  });
}

void pendant_heart(Canvas& canvas, bool stone) {
  hang(canvas, [&](Point at) {
    const auto heart =
        "M" + number(at.x) + ',' + number(at.y + 100) +
        "c-70,-48 -74,-108 -30,-106 c16,0 26,10 30,22 c4,-12 14,-22 30,-22 c44,-2 40,58 -30,106z";
    canvas.path(heart, "fill=\"url(#m)\" stroke=\"#fff\" stroke-opacity=\".6\" stroke-width=\"2\"");
    if (stone) canvas.gem({at.x, at.y + 44}, 20);
  });
}

void pendant_lotus(Canvas& canvas, bool stone) {
  hang(canvas, [&](Point at) {
    for (const double lean : {-62.0, 62.0, -34.0, 34.0, 0.0}) {
      canvas.raw("<g transform=\"rotate(" + number(lean) + ' ' + number(at.x) + ' ' + number(at.y + 84) +
                 ")\">");
      canvas.path("M" + number(at.x) + ',' + number(at.y + 90) + "c-26,-26 -24,-62 0,-86 c24,24 26,60 0,86z",
                  "fill=\"url(#m)\" stroke=\"#fff\" stroke-opacity=\".55\" stroke-width=\"1.6\"");
      canvas.raw("</g>");
    }
    if (stone) canvas.gem({at.x, at.y + 62}, 17);
  });
}

void pendant_disc(Canvas& canvas, bool stone) {
  hang(canvas, [&](Point at) {
    const Point centre{at.x, at.y + 52};
    if (stone) {
      canvas.bead(centre, 52);
      canvas.circle(centre, 17, "fill=\"#f6efe4\" stroke=\"#000\" stroke-opacity=\".15\"");
    } else {
      canvas.circle(centre, 52, "fill=\"url(#m)\"");
      canvas.circle(centre, 43, "fill=\"none\" stroke=\"#fff\" stroke-opacity=\".6\" stroke-width=\"2\"");
      canvas.path("M" + number(centre.x - 22) + ',' + number(centre.y + 4) + "q22,-44 44,0 q-22,30 -44,0z",
                  "fill=\"url(#n)\"");
    }
  });
}

void bangle(Canvas& canvas, bool stone) {
  canvas.shadow({320, 520}, 230, 30);
  canvas.band({320, 330}, 225, 165, 30);
  if (stone) {
    for (int i = -3; i <= 3; ++i) canvas.small_gem(on_ellipse({320, 330}, 211, 151, 90 + i * 9.0), 12);
  }
}

void tennis_bracelet(Canvas& canvas, bool) {
  canvas.shadow({320, 520}, 230, 30);
  for (int i = 0; i < 42; ++i) {
    const auto at = on_ellipse({320, 330}, 214, 150, i * 360.0 / 42);
    canvas.ball(at, 16);
    canvas.small_gem(at, 12.5);
  }
}

void beads(Canvas& canvas, bool stone) {
  canvas.shadow({320, 520}, 230, 30);
  for (int i = 0; i < 26; ++i) {
    const auto at = on_ellipse({320, 330}, 212, 150, i * 360.0 / 26);
    if (i % 6 == 3 || !stone)
      canvas.ball(at, 22);
    else
      canvas.bead(at, 24);
  }
}

void anklet(Canvas& canvas, bool stone) {
  canvas.shadow({320, 520}, 230, 30);
  for (int i = 0; i < 60; ++i) {
    const double degrees = i * 6.0;
    canvas.link(on_ellipse({320, 320}, 220, 150, degrees), 13, i % 2 == 0 ? 8 : 3.5, degrees + 90);
  }
  for (int i = -2; i <= 2; ++i) {
    const auto at = on_ellipse({320, 320}, 220, 150, 90 + i * 22.0);
    canvas.link({at.x, at.y + 14}, 4, 8, 0);
    if (stone)
      canvas.small_gem({at.x, at.y + 34}, 14);
    else
      canvas.ball({at.x, at.y + 34}, 13);
  }
}

// ---- ears ----

void twice(Canvas& canvas, const std::function<void(Point)>& put) {
  canvas.shadow({210, 560}, 90, 16);
  canvas.shadow({430, 560}, 90, 16);
  put({210, 300});
  put({430, 300});
}

void stud(Canvas& canvas, bool) {
  twice(canvas, [&](Point at) {
    canvas.circle(at, 82, "fill=\"url(#m)\"");
    canvas.gem(at, 70);
    canvas.claws(at, 72, 4);
  });
}

void hoop(Canvas& canvas, bool stone) {
  twice(canvas, [&](Point at) {
    canvas.band({at.x, at.y + 20}, 88, 140, 20);
    if (!stone) return;
    for (int i = -4; i <= 4; ++i) canvas.small_gem(on_ellipse({at.x, at.y + 20}, 78, 130, 90 + i * 12.0), 9);
  });
}

void drop_earring(Canvas& canvas, bool) {
  twice(canvas, [&](Point at) {
    canvas.path("M" + number(at.x) + ',' + number(at.y - 90) + "c-34,-70 40,-110 52,-40",
                "fill=\"none\" stroke=\"url(#m)\" stroke-width=\"7\" stroke-linecap=\"round\"");
    canvas.small_gem({at.x, at.y - 74}, 18);
    canvas.path("M" + number(at.x) + ',' + number(at.y - 54) + "v38",
                "stroke=\"url(#m)\" stroke-width=\"5\"");
    canvas.drop_gem({at.x, at.y + 92}, 58);
  });
}

void pearl_earring(Canvas& canvas, bool) {
  twice(canvas, [&](Point at) {
    canvas.path("M" + number(at.x) + ',' + number(at.y - 60) + "c-36,-74 42,-118 54,-42",
                "fill=\"none\" stroke=\"url(#m)\" stroke-width=\"7\" stroke-linecap=\"round\"");
    canvas.path("M" + number(at.x) + ',' + number(at.y - 60) + "v60",
                "stroke=\"url(#m)\" stroke-width=\"5\"");
    canvas.ball({at.x, at.y + 6}, 15);
    canvas.pearl({at.x, at.y + 72}, 66);
  });
}

void leaf_earring(Canvas& canvas, bool stone) {
  twice(canvas, [&](Point at) {
    for (int i = 0; i < 4; ++i) {
      for (const double side : {-1.0, 1.0}) {
        const double y = at.y - 70 + i * 58;
        canvas.path("M" + number(at.x) + ',' + number(y) + "c" + number(side * 60) + ",-10 " +
                        number(side * 66) + ",40 " + number(side * 4) + ",52z",
                    "fill=\"url(#m)\" stroke=\"#fff\" stroke-opacity=\".5\" stroke-width=\"1.4\"");
      }
    }
    canvas.path("M" + number(at.x) + ',' + number(at.y - 84) + "v270",
                "stroke=\"url(#n)\" stroke-width=\"4\"");
    if (stone)
      canvas.gem({at.x, at.y - 96}, 24);
    else
      canvas.ball({at.x, at.y - 96}, 18);
  });
}

struct Design {
  std::string_view name;
  Draw draw;
};
constexpr std::array kDesigns{
    Design{"band", band},
    Design{"solitaire", solitaire},
    Design{"halo", halo},
    Design{"trilogy", trilogy},
    Design{"eternity", eternity},
    Design{"twist", twist},
    Design{"signet", signet},
    Design{"pair", pair},
    Design{"chain", chain},
    Design{"pearls", pearls},
    Design{"tennis-necklace", tennis_necklace},
    Design{"pendant-drop", pendant_drop},
    Design{"pendant-heart", pendant_heart},
    Design{"pendant-lotus", pendant_lotus},
    Design{"pendant-disc", pendant_disc},
    Design{"bangle", bangle},
    Design{"tennis-bracelet", tennis_bracelet},
    Design{"beads", beads},
    Design{"anklet", anklet},
    Design{"stud", stud},
    Design{"hoop", hoop},
    Design{"drop-earring", drop_earring},
    Design{"pearl-earring", pearl_earring},
    Design{"leaf-earring", leaf_earring},
};

}  // namespace

std::span<const std::string_view> designs() {
  static const auto names = [] {
    std::array<std::string_view, kDesigns.size()> list;
    for (std::size_t i = 0; i < kDesigns.size(); ++i) list[i] = kDesigns[i].name;
    return list;
  }();
  return names;
}

std::string draw(const Jewel& jewel) {
  Canvas canvas(jewel.colour, jewel.stone);
  auto draw = kDesigns.front().draw;
  for (const auto& design : kDesigns) {
    if (design.name == jewel.design) draw = design.draw;
  }
  draw(canvas, !jewel.stone.empty());
  return canvas.finish();
}

}  // namespace shop::art
