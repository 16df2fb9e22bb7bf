"""Word lists for `words`: what the form of an English noun does not tell."""

from __future__ import annotations

__all__ = [
    "ADJECTIVES",
    "COLORS",
    "COUNTABLE_ING",
    "DEFINITE",
    "DETERMINERS",
    "IN_I_OR_U",
    "MASS",
    "PHRASE_BREAKS",
    "PLURAL_FORMS",
    "PLURAL_IN_OES",
    "PLURAL_ONLY",
    "PROPER",
    "READ_ALOUD",
    "SAME_IN_PLURAL",
    "SINGULAR_IN_MEN",
    "SINGULAR_IN_S",
]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: A phrase that begins with one of these needs no article.
DETERMINERS = _words(
    "the a an some any this that these those my your his her its our their each every another other many "
    "several few various different multiple two three four five six seven eight nine ten someone something"
)

#: The head noun stands before the first of these.
PHRASE_BREAKS = _words(
    "of in on with within that which who whose from for to at under over above below around being worn by like "
    "near behind between beside without wearing holding made having containing during inside outside against "
    "into onto through along is are"
)

#: Nouns that take no article in the singular.
MASS = _words(
    "grass water snow ice sand fur hair skin wood metal food nature wildlife vegetation foliage greenery "
    "clothing furniture text lettering writing handwriting rain fog smoke fire steam dust mud dirt soil gravel "
    "glass plastic paper fabric textile leather wool cotton silk denim lace carpeting pavement asphalt "
    "concrete brick stone marble granite masonry rock light lighting darkness shade sunlight daylight water "
    "underbrush moss ivy hay straw corn maize wheat rice bread cheese meat beef pork chicken fruit pasta soup "
    "salad broccoli cabbage spinach garlic coffee tea beer wine milk juice oil chocolate sugar salt cake "
    "jewelry luggage equipment machinery electronics hardware software traffic art artwork music percussion "
    "sport sports gymnastics football soccer baseball basketball tennis golf hockey cricket chess life wicker "
    "mesh fencing shelving signage wiring cardboard steel iron silver gold copper brass bronze chrome rust "
    "blood flesh bone plumage wool yarn thread string linen velvet camouflage paisley gingham plaid tweed "
    "crochet knitwear footwear underwear headgear eyewear architecture scenery landscape countryside daytime "
    "nighttime night dusk dawn weather sunshine air space stuff trash garbage litter debris rubble seaweed "
    "coral algae bamboo ivory porcelain pottery ceramic ceramics clay wax foam lightning thunder movement "
    "motion blur noise texture detail content archaeology accommodation catering regard greed porcelain tile "
    "earth graffiti confetti spaghetti fish shellfish seafood livestock poultry bedding upholstery drapery "
    "tapestry embroidery latticework ironwork brickwork stonework woodwork moisture frost dew aquaculture "
    "fluorescence hardwood aluminum silicone lava sediment forestry fashion candy infantry pantyhose "
    "scaffolding weaponry ammunition artillery plywood cutlery crockery data mathematics news physics"
)

#: Things of which a picture has one: "the sky".
DEFINITE = _words(
    "sky ground sea ocean horizon sun moon background foreground floor ceiling beach countryside environment"
)

COLORS = _words(
    "red orange yellow green blue purple violet pink brown black white gray grey magenta cyan turquoise teal "
    "beige tan maroon navy lavender crimson scarlet indigo olive mauve aqua"
)

#: Adjectives that tables list as if they were things; most are the textures of the Describable Textures data.
ADJECTIVES = _words(
    "banded blotchy braided bubbly bumpy chequered checkered cobwebbed cracked crosshatched crystalline dotted "
    "fibrous flecked freckled frilly gauzy grooved honeycombed interlaced knitted lacelike lined marbled "
    "matted meshed perforated pitted pleated polka-dotted porous potholed scaly smeared spiralled spiraled "
    "sprinkled stained stratified striped studded swirly veined waffled woven wrinkled zigzagged furry fluffy "
    "shiny glossy metallic wooden round rounded circular rectangular square-shaped triangular oval curved "
    "curvy straight diagonal vertical horizontal pointy spiky prickly thorny wavy hairy feathery leafy grassy "
    "snowy rocky sandy muddy wet dry dark bright pale colorful transparent translucent reflective smooth rough "
    "soft hard geometric floral symmetric symmetrical asymmetrical parallel concentric underwater upstairs "
    "indoors outdoors juvenile captive inflatable assorted baroque gothic aquatic mobile digital medical "
    "musical electric electronic edible long thin thick small large big tiny huge tall short-haired "
    "long-haired bundled tropical urban rural vintage antique bound handmade cordless airborne atmospheric "
    "ultraviolet adorable electrical mechanical portable waterproof"
)

#: Words in -ing that are things, not doings.
COUNTABLE_ING = _words(
    "building painting ceiling railing earring awning bearing carving drawing evening morning wedding sibling "
    "duckling seedling dumpling clothing lightning starling nestling gosling herring pudding dressing stocking "
    "landing parting opening crossing covering coating marking peeling plaything spring string swing filling "
    "handling hatchling fledgling yearling sapling dwelling topping trimming greeting helping hearing meeting "
    "posting warning offering brambling bunting lacewing wing sling"
)

#: Singular nouns that end in -s and would look like plurals; those in -ss, -us and -is are told by their form.
SINGULAR_IN_S = _words(
    "gas lens canvas atlas christmas pancreas bias rhinoceros cosmos chaos pathos kudos ethos thermos molasses "
    "mathematics physics athletics gymnastics electronics ceramics triceratops mars texas its yes always news"
)

#: Singular nouns that end like "men"; `inflect` makes "speciman" of them.
SINGULAR_IN_MEN = _words(
    "specimen regimen abdomen acumen stamen cyclamen omen ramen semen lumen albumen bitumen foramen yemen agenda"
)

#: Nouns in -i and -u; other words in -is and -us are singular: "mantis", "lotus".
IN_I_OR_U = _words(
    "alibi bikini chili fi guru gnu emu haiku houri kiwi martini menu panini rabbi safari ski taxi tsunami tutu "
    "uakari uzi yeti"
)

#: Plurals without a singular of their own.
PLURAL_ONLY = _words("cattle police folk offspring")

#: Nouns of which one looks like many, those that `inflect` does not know ("fish", "deer", "aircraft" it does).
SAME_IN_PLURAL = _words(
    "barracks bison crossroads elk grouse headquarters samurai series shrimp species squid swine swiss triceratops "
    "zucchini"
)

#: Nouns in -o that take -es. All others take -s; `inflect` says "geckoes".
PLURAL_IN_OES = _words("buffalo dingo domino echo hero mango mosquito potato tomato tornado torpedo veto volcano")

#: Words of three letters that are read as words also in capitals: "a SIM card", but "an SUV".
READ_ALOUD = _words(
    "SIM RAM ROM LAN HUD MAC SAM FAN FAT FIG FIN FLY FOX FUR HAM HAT HEN HOG HOT HUT LEG LID LIP LOG MAN MAP MAT MOP "
    "MUD MUG NET NEW NUN NUT RAT RED RIB ROD RUG SAW SEA SUN"
)

#: Singular → plural where `inflect` is wrong, or says the rarer: "thiefs", "cactuses", "loches", "passerbies"; a mine
#: is no pronoun; and where it does not find back from a plural that is right: "onesies".
PLURAL_FORMS = {
    "thief": "thieves",
    "hoof": "hooves",
    "cactus": "cacti",
    "fungus": "fungi",
    "radius": "radii",
    "antenna": "antennae",
    "larva": "larvae",
    "nebula": "nebulae",
    "pupa": "pupae",
    "matrix": "matrices",
    "vertex": "vertices",
    "vortex": "vortices",
    "chateau": "chateaux",
    "monarch": "monarchs",
    "patriarch": "patriarchs",
    "matriarch": "matriarchs",
    "loch": "lochs",
    "epoch": "epochs",
    "triptych": "triptychs",
    "mine": "mines",
    "golf": "golfs",
    "by": "bys",
    "doberman": "dobermans",
    "walkman": "walkmans",
    "passerby": "passersby",
    "stepchild": "stepchildren",
    "grandchild": "grandchildren",
    "schoolchild": "schoolchildren",
    "onesie": "onesies",
    "talkie": "talkies",
    "univalve": "univalves",
    "bivalve": "bivalves",
    "moustache": "moustaches",
    "brioche": "brioches",
}

#: First words that keep their capital: names of places, peoples, people and days that concepts and breeds begin with.
PROPER = _words(
    "african american antarctic arabian arctic argentine asian australian austrian bavarian belgian bengal bernese "
    "boston brazilian british canadian caribbean celtic chinese cuban czech danish dutch egyptian english european "
    "finnish french german greek hawaiian himalayan honduran hungarian icelandic indian indonesian irish islamic "
    "israeli italian jamaican japanese jewish korean latin lebanese malaysian mediterranean mexican moroccan nepalese "
    "nordic norwegian ottoman pakistani persian peruvian polish portuguese roman romanian russian scandinavian "
    "scottish siamese siberian spanish swedish swiss taiwanese thai tibetan turkish ugandan ukrainian uzbek "
    "vietnamese viking welsh african-american africa america asia australia austria belgium brazil britain canada "
    "china cuba denmark egypt england europe finland france germany greece hawaii hungary iceland india indonesia "
    "iran iraq ireland israel italy jamaica japan kenya korea london madagascar mexico morocco nepal netherlands "
    "norway pakistan paris peru poland portugal rome russia scotland singapore spain sweden switzerland taiwan texas "
    "thailand tibet ukraine venice vietnam wales washington yorkshire yellowstone hollywood manhattan airedale "
    "bedlington brittany chesapeake christmas easter halloween hanukkah ramadan thanksgiving monday tuesday wednesday "
    "thursday friday saturday sunday january february april june july august september october november december "
    "buddha buddhist christian christ hindu jesus muslim santa victorian lego coca pepsi ferrari toyota volkswagen "
    "mercedes bmw nike adidas disney mickey barbie godzilla gila komodo labrador leonberg newfoundland norfolk "
    "norwich pembroke pomeranian rhodesian rottweiler saluki samoyed sealyham staffordshire sussex weimaraner ibizan "
    "lakeland kerry gordon doberman dandie bouvier blenheim"
)
