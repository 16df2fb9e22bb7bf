"""Words for random meaning representations: names of classes, and concepts as tables of neurons write them."""

from __future__ import annotations

import json
from importlib import resources
from random import Random

__all__ = ["CLASSES", "LAYERS", "ODD", "random_borrowed", "random_concept", "random_label", "random_vote"]


def _list(text: str) -> tuple[str, ...]:
    return tuple(" ".join(entry.split()) for entry in text.split(";") if entry.strip())


_ANIMALS = _list("""
aardvark; albatross; alligator; alpaca; anteater; antelope; armadillo; badger; barn owl; bat; bear; beaver; bee;
beetle; bison; blue jay; boar; bobcat; buffalo; bull; bullfrog; bumblebee; butterfly; camel; canary; caribou; cat;
caterpillar; chameleon; cheetah; chicken; chimpanzee; chipmunk; cobra; cockatoo; cod; cow; coyote; crab; crane;
cricket; crocodile; crow; cuckoo; deer; dingo; dolphin; donkey; dove; dragonfly; duck; eagle; echidna; eel; elephant;
elk; emu; falcon; ferret; finch; firefly; flamingo; fly; fox; frog; gazelle; gecko; gerbil; gibbon; giraffe; goat;
goldfinch; goldfish; goose; gorilla; grasshopper; grouse; guinea pig; gull; hamster; hare; hawk; hedgehog; hen; heron;
hippopotamus; hornet; horse; hummingbird; hyena; ibex; ibis; iguana; impala; jackal; jaguar; jay; jellyfish; kangaroo;
kingfisher; kite; koala; ladybug; lemur; leopard; lion; lizard; llama; lobster; lynx; macaw; magpie; mallard; manatee;
marmot; meerkat; mink; mole; mongoose; moose; mosquito; moth; mouse; mule; newt; nightingale; octopus; opossum;
orangutan; orca; ostrich; otter; owl; ox; oyster; panda; panther; parrot; partridge; peacock; pelican; penguin;
pheasant; pig; pigeon; pike; platypus; polar bear; pony; porcupine; puffin; puma; python; quail; rabbit; raccoon; ram;
rat; rattlesnake; raven; reindeer; rhinoceros; robin; rooster; salamander; salmon; sandpiper; scorpion; sea lion; sea
urchin; seahorse; seal; shark; sheep; shrew; skunk; sloth; snail; snake; sparrow; spider; squid; squirrel; starfish;
starling; stingray; stork; swallow; swan; tapir; tarantula; tern; terrier; tiger; toad; tortoise; toucan; trout; tuna;
turkey; turtle; viper; vulture; wallaby; walrus; warthog; wasp; weasel; whale; wildebeest; wolf; wolverine; wombat;
woodpecker; wren; yak; zebra; Border collie; Siamese cat; Persian cat; German shepherd; Great Dane; Irish setter;
Saint Bernard; Shetland sheepdog; Egyptian cat; Norwegian elkhound; African elephant; Arctic fox; English springer;
dalmatian; poodle; beagle; crested reed hopper; red-breasted finch; fork-tailed hawk; spotted marsh piper; banded
swallowtail; fan-tailed trout
""")

_THINGS = _list("""
accordion; ambulance; anchor; apron; automobile; backpack; bagpipe; balloon; banjo; barber chair; barn; barrel;
basket; basketball; bathtub; beacon; beaker; bell; bench; bicycle; binder; binoculars; birdhouse; boathouse; bobsled;
bonnet; bookcase; boot; bottle; bow; bow tie; bowl; bridge; broom; bucket; buckle; bulldozer; bus; cannon; canoe; car;
carousel; carton; castle; cello; chain; chainsaw; chair; chandelier; chest; church; clock; cloak; coat; coffee mug;
coffeepot; cradle; crane truck; crate; crib; cup; dam; desk; dial; digital clock; dishwasher; dome; door; doormat;
drum; dumbbell; easel; electric fan; envelope; espresso machine; fence; ferry; fire engine; fireboat; flagpole; flute;
folding chair; football helmet; forklift; fountain; fountain pen; freight car; frying pan; garbage truck; gas pump;
goblet; go-kart; golf ball; gondola; gong; gown; grand piano; greenhouse; guitar; gyroscope; hair dryer; hammer;
hamper; harmonica; harp; harvester; helicopter; helmet; holster; hook; hot-air balloon; hourglass; iron; jeep; jersey;
jigsaw puzzle; joystick; kettle; keyboard; kimono; knee pad; ladle; lampshade; laptop; lawn mower; lens cap; library;
lifeboat; lighter; lighthouse; limousine; lipstick; loafer; loudspeaker; loupe; mailbag; mailbox; mask; matchstick;
maypole; maze; megaphone; microphone; microwave; milk can; minibus; minivan; missile; mitten; mixing bowl; modem;
monastery; moped; mortar; mosque; motor scooter; mountain bike; mousetrap; moving van; muzzle; nail; necklace;
notebook; obelisk; oboe; ocarina; organ; oscilloscope; overcoat; oxygen mask; paddle; padlock; paintbrush; palace;
parachute; park bench; parking meter; patio; pencil case; perfume; photocopier; pickup truck; pier; piggy bank; pill
bottle; pillow; pinwheel; pirate ship; pitcher; planetarium; plow; plunger; pool table; postbox; pot; printer;
projector; purse; quill; quilt; race car; racket; radiator; radio; radio telescope; raincoat; recorder; reel;
refrigerator; remote control; revolver; rifle; rocking chair; ruler; running shoe; safe; safety pin; sailboat; sandal;
saxophone; scale; school bus; schooner; scoreboard; screw; screwdriver; seat belt; sewing machine; shield; shovel;
sink; ski; sleeping bag; slot machine; snorkel; snowmobile; snowplow; soap dispenser; sock; sombrero; soup bowl; space
shuttle; spatula; speedboat; spider web; spindle; sports car; steam locomotive; steel drum; stethoscope; stole; stone
wall; stopwatch; stove; strainer; stretcher; studio couch; submarine; suit; sundial; sunglasses; suspension bridge;
swing; switch; syringe; T-shirt; table lamp; tank; teapot; teddy; television; tennis ball; thimble; throne; toaster;
torch; totem pole; tow truck; tractor; trailer truck; tray; trench coat; tricycle; tripod; trombone; tub; turnstile;
typewriter keyboard; umbrella; unicycle; upright piano; vacuum; vase; vault; vending machine; vestment; viaduct;
violin; volleyball; waffle iron; wallet; wardrobe; warplane; washbasin; water bottle; water tower; whistle; wig;
window screen; wine bottle; wok; wooden spoon; wool; worm fence; wreck; yawl; yurt; airplane; ship
""")

_FOOD = _list("""
acorn; apple; artichoke; avocado; bagel; banana; bell pepper; broccoli; burrito; cabbage; carrot; cauliflower;
cheeseburger; cherry; chocolate sauce; corn; cucumber; custard apple; dough; espresso; fig; grape; guacamole; hot dog;
ice cream; lemon; mango; meat loaf; melon; mushroom; onion; orange; pancake; peach; pear; pineapple; pizza; plate;
plum; pomegranate; potato; pretzel; pumpkin; radish; red wine; sandwich; spaghetti squash; strawberry; trifle; walnut;
watermelon; zucchini
""")

_SCENES = _list("""
airport; alley; alp; amusement park; attic; bakery; beach; bedroom; bookshop; bubble; canyon; cinema; classroom;
cliff; coast; coral reef; corn field; desert; dining room; farm; forest; garage; geyser; glacier; harbor; highway;
hotel room; hospital; iceberg; kitchen; lake; lakeside; living room; marsh; mountain; museum; office; orchard;
playground; promontory; railway station; restaurant; river; sandbar; seashore; skyscraper; stadium; street; swimming
pool; tunnel; valley; vineyard; volcano; waterfall; windmill; zoo
""")

_SYNONYMS = _list("""
tabby, tabby cat; crane, construction crane; sports car, sport car; fire engine, fire truck; hen, biddy; laptop,
laptop computer; grey fox, gray fox; notebook, notebook computer; maillot, tank suit; can opener, tin opener; cab,
taxi
""")

#: Names of classes.
CLASSES = _ANIMALS + _THINGS + _FOOD + _SCENES + _SYNONYMS

LAYERS = ("layer4", "layer3", "features", "features.12", "blocks.7", "mixed_7c", "/features/Relu_output_0", "stage 4")

#: Names and concepts that nobody expects.
ODD = _list("""
犬の顔; 🦓 (v2); naïve café; Ünïcode; İstanbul; long, thin objects; not a web; T-1000; 12%; neuron 7; the bottom of
rectangular objects; dots on the left; evidence; network; because of stripes; “quoted” words; X-ray; a; layer; St.
Bernard; People 's heads; bakery_shop-s; mainly grass; stripes and; Dots on the bottom; 3D shapes; AC/DC; Ćevapčići;
шляпа
""")

_COLORS = _list("red; orange; yellow; green; blue; purple; pink; brown; black; white; gray; turquoise; beige; crimson")
_TEXTURES = _list("""
stripes; dots; spots; scales; bars; checks; zigzags; grids; rings; swirls; ridges; grooves; folds; wrinkles; knots;
bumps; cracks; patterns; lines; curves; circles; squares; triangles; edges; corners of buildings; waves; loops;
meshes; fringes
""")
_TEXTURE_WORDS = _list("""
dotted; striped; banded; blotchy; braided; bubbly; bumpy; chequered; cracked; crystalline; fibrous; frilly; grooved;
honeycombed; knitted; lacelike; lined; matted; meshed; perforated; pleated; porous; scaly; smeared; spiralled;
stained; studded; veined; waffled; woven; wrinkled; zigzagged; shiny; furry; wooden; metallic; curved; transparent
""")
_PARTS = _list("""
face; faces; head; heads; ear; ears; eye; eyes; nose; noses; mouth; neck; leg; legs; paws; hoof; tail; tails; back;
belly; fur; hair; wing; wings; feathers; beak; beaks; claws; horn; horns; antlers; whiskers; mane; fin; fins; snout;
muzzle; body
""")
_OWNERS = _list("""
dog; cat; bird; horse; cow; fish; insect; monkey; sheep; rabbit; human; animal; bear; elephant; duck; owl; lizard;
frog
""")
_OBJECTS = _list("""
wheel; wheels; window; windows; windshield; license plate; handle; handles; lamp; roof; chimney; door; doors; bridge;
fence; tower; tree; trees; leaf; leaves; branch; branches; trunk; flower; flowers; petals; bush; bushes; mountain;
mountains; cloud; clouds; wave; rock; rocks; road; roads; street; sidewalk; stairs; railing; wall; walls; bricks;
column; arch; arches; bottle; bottles; cup; cups; plate; plates; bowl; bowls; spoon; knife; knives; table; tables;
chair; chairs; bed; sofa; curtain; curtains; shelf; shelves; book; books; screen; screens; keyboard; button; buttons;
cable; cables; wire; wires; pole; poles; sign; signs; letters; numbers; logo; flag; flags; hat; hats; glasses; shoe;
shoes; glove; gloves; scarf; tie; shirt; dress; person; people; man; woman; child; children; crowd; hand; hands;
finger; fingers; arm; arms; ball; balls; net; rope; ropes; sail; sails; mast; boat; boats; car; cars; truck; bus;
bicycle; train; airplane; propeller; rotor; umbrella; hourglass; igloo; oar; eggs; egg; apple; orange; unicorn;
ornament; engine; eagle; oven; urn; instruments; squares; screws; chain; chains; basket; barrel; bell; candle;
candles; clock face; dial; pointer; string; strings; trail
""")
_MASS = _list("""
grass; water; snow; ice; sand; fur; hair; skin; wood; metal; food; vegetation; foliage; text; lettering; handwriting;
fog; smoke; fire; dust; mud; gravel; glass; plastic; paper; fabric; leather; wool; lace; asphalt; concrete; brick;
stone; marble; light; darkness; shade; bread; cheese; meat; fruit; moss; ivy; hay; jewelry; furniture; clothing;
machinery; wicker; foam
""")
_DEFINITE = _list("sky; ground; sea; horizon; sun; moon; floor; ceiling; The sky; the ground; beach; ocean")
_ADJECTIVES = _list("""
round; long; thin; pointed; curved; small; large; dark; bright; white; black; brown; green; red; blue; yellow;
striped; dotted; spotted; wooden; metal; shiny; furry; rounded; vertical; horizontal; diagonal; open; folded; bare;
wet; dry; old
""")
_CAPTIONS = _list("""
rounded edges in pictures; The color red; the color green; Green areas in picture; Items that are connected; Two items
that are connected; Black and white stripes; black lettering and numbers; Horizontal lines; Vertical lines; Animals
and food; Spots of the color white; Dark areas in pictures; objects with a handle; People wearing hats; the edges of
objects; the tops of buildings; Animal faces; Faces of dogs; Long thin objects; Red and orange objects; Black and
white colored objects; areas with text; Round objects; Objects with wheels; Bodies of water; a person wearing a hat;
birds with long legs; the inside of a car; Vehicles on a road; Straight lines in pictures; signs with letters; Heads
of animals; dog ears and noses; Flowers and leaves; the sky or walls; A flower, flower, flower; items made of metal;
things with many legs; sides of cars; Dog face; Dog faces; Bird beaks; snorkeling; swimming; Yorkshire terrier;
Dalmatian; Great Pyrenees; wings of airplanes
""")


def random_label(rng: Random) -> str:
    """The name of a class; one in fifty is odd."""
    return rng.choice(ODD) if rng.random() < 0.02 else rng.choice(CLASSES)


def random_concept(rng: Random) -> str:
    """Words as a table gives them for a neuron: some thousand different ones, one in forty odd."""
    kind = rng.random()
    if kind < 0.025:
        words = rng.choice(ODD)
    elif kind < 0.10:
        words = rng.choice(_TEXTURES)
    elif kind < 0.14:
        words = rng.choice(_TEXTURE_WORDS)
    elif kind < 0.34:
        words = f"{rng.choice(_OWNERS)} {rng.choice(_PARTS)}" if rng.random() < 0.6 else rng.choice(_PARTS)
    elif kind < 0.62:
        words = rng.choice(_OBJECTS)
    elif kind < 0.72:
        words = rng.choice(_MASS)
    elif kind < 0.76:
        words = rng.choice(_DEFINITE)
    elif kind < 0.80:
        words = rng.choice(_COLORS)
    elif kind < 0.90:
        words = f"{rng.choice(_ADJECTIVES)} {rng.choice(rng.choice((_OBJECTS, _TEXTURES, _PARTS)))}"
    elif kind < 0.92:
        words = rng.choice(CLASSES)
    else:
        words = rng.choice(_CAPTIONS)
    return words[:1].upper() + words[1:] if rng.random() < 0.3 else words


def _voted() -> tuple[list[str], list[str]]:
    """Words for groups of classes, and for single ones, as votes say them."""
    table = json.loads(resources.files("nle_fast.dissect").joinpath("wordnet.json").read_text(encoding="utf-8"))
    groups, singles = ([entry["words"] for entry in table[part] if entry["words"]] for part in ("groups", "classes"))
    return groups, singles


_GROUPS, _SINGLES = _voted()


def _several(words: list[str]) -> str:
    """As votes join them: with ", and of" where a name has commas or an "and" inside."""
    if len(words) < 3:
        return " and ".join(words)
    return f"{', '.join(words[:-1])}, and {words[-1]}"


def random_vote(rng: Random) -> str:
    """Words by votes: groups, single classes, the answer's own, or what classes near it have in common."""
    kind = rng.random()
    if kind < 0.5:
        return f"what is typical of {_several(rng.sample(_GROUPS, rng.choice((1, 1, 1, 2, 2, 3))))}"
    if kind < 0.8:
        return f"what is typical of {_several(rng.sample(_SINGLES, rng.choice((1, 1, 2, 2, 3))))}"
    if kind < 0.9:
        return f"what is typical of {rng.choice(_SINGLES)} themselves"
    return f"what {_several(rng.sample(_SINGLES, rng.choice((2, 2, 3))))} have in common"


def random_borrowed(rng: Random) -> str:
    """Words borrowed from another network."""
    return f"what looks like {_several(rng.sample(rng.choice((_GROUPS, _SINGLES)), rng.choice((1, 1, 2))))}"
