"""English words with their right article and plural: "article word: plural", checked by hand."""

from __future__ import annotations

__all__ = ["BEGINNINGS", "ENDINGS", "SAME", "Noun", "read"]

Noun = tuple[str, str, str]


def read(table: str) -> list[Noun]:
    """(article, word, plural) of each entry."""
    entries = (entry.strip() for line in table.strip().splitlines() for entry in line.split(";"))
    return [
        (article, word, plural)
        for entry in entries
        if entry
        for article, rest in [entry.split(" ", 1)]
        for word, plural in [rest.split(": ")]
    ]


#: Words whose first sound their first letter does not tell.
BEGINNINGS = read("""
a one-piece: one-pieces; a one-way street: one-way streets; a one-armed bandit: one-armed bandits; a onesie: onesies
a one-eyed cat: one-eyed cats; a one-liner: one-liners; a one-off: one-offs; a one-dollar bill: one-dollar bills
a once-over: once-overs; a Ouija board: Ouija boards; a ouija board: ouija boards; a uakari: uakaris
a ukulele: ukuleles; a ukelele: ukeleles; a unicorn: unicorns; a unicycle: unicycles; a uniform: uniforms
a union: unions; a Union Jack: Union Jacks; a unit: units; a unitard: unitards; a university: universities
a universal joint: universal joints; a universe: universes; a univalve: univalves; a unibrow: unibrows
a unisex toilet: unisex toilets; a Unitarian: Unitarians; a unicyclist: unicyclists
a unilateral drawing: unilateral drawings; a utensil: utensils; a utility pole: utility poles
a utility knife: utility knives; a utopia: utopias; a urinal: urinals; a urologist: urologists; a ureter: ureters
a urethra: urethras; a uranium pellet: uranium pellets; a urethane wheel: urethane wheels
a urine sample: urine samples; a user: users; a used car: used cars; a useful tool: useful tools
a useless toy: useless toys; a usurper: usurpers; a usual suspect: usual suspects; a usage chart: usage charts
a uterus: uteruses; a uvula: uvulas; a unanimous vote: unanimous votes; a European: Europeans; a euro: euros
a Eurasian: Eurasians; a eucalyptus: eucalyptuses; a eulogy: eulogies; a eunuch: eunuchs; a euphonium: euphoniums
a euphemism: euphemisms; a euphoric crowd: euphoric crowds; a eukaryote: eukaryotes
a Euclidean plane: Euclidean planes; a Eurofighter: Eurofighters; a euphorbia: euphorbias; a ewe: ewes; a ewer: ewers
a Ugandan: Ugandans; a Ukrainian: Ukrainians; a ubiquitous sign: ubiquitous signs; a ufologist: ufologists
a U-turn: U-turns; a u-turn: u-turns; a U-boat: U-boats; a u-bolt: u-bolts; a U-bend: U-bends
a U-shaped magnet: U-shaped magnets; an umbrella: umbrellas; an umpire: umpires; an uncle: uncles
an undershirt: undershirts; an underpass: underpasses; an uninhabited island: uninhabited islands
an unidentified object: unidentified objects; an unimportant detail: unimportant details
an unimpressed face: unimpressed faces; an unironed shirt: unironed shirts; an uninflated balloon: uninflated balloons
an uninsulated wire: uninsulated wires; an unusual hat: unusual hats; an unlit candle: unlit candles
an untied shoe: untied shoes; an unopened letter: unopened letters; an urn: urns; an urchin: urchins
an urban street: urban streets; an usher: ushers; an usherette: usherettes; an udder: udders; an ulcer: ulcers
an ugly mug: ugly mugs; an upholstered chair: upholstered chairs; an upside-down cup: upside-down cups; an Uzi: Uzis
an Uzbek: Uzbeks; an udon bowl: udon bowls; an umiak: umiaks; an ushanka: ushankas; an Ulsterman: Ulstermen
an uppercut: uppercuts; an utterance: utterances; an eye: eyes; an eyelash: eyelashes; an ear: ears; an eagle: eagles
an eel: eels; an eider: eiders; an emu: emus; an Ewok: Ewoks; an eight-ball: eight-balls; an eyrie: eyries
an Easter egg: Easter eggs; an oar: oars; an oyster: oysters; an onion: onions; an oncologist: oncologists
an oncoming train: oncoming trains; an onerous task: onerous tasks; an onyx ring: onyx rings
an ouzo bottle: ouzo bottles; an ostrich: ostriches; an aye-aye: aye-ayes; an aisle: aisles; an igloo: igloos
an iguana: iguanas; an hour: hours; an hourglass: hourglasses; an hour hand: hour hands; an hourly bus: hourly buses
an honest face: honest faces; an honest man: honest men; an honor guard: honor guards; an honour guard: honour guards
an honoree: honorees; an honorary degree: honorary degrees; an heir: heirs; an heiress: heiresses
an heirloom: heirlooms; an heirloom tomato: heirloom tomatoes; an hors d'oeuvre: hors d'oeuvres
a honeycomb: honeycombs; a honeybee: honeybees; a honcho: honchos; a honing steel: honing steels; a Honda: Hondas
a Honduran: Hondurans; a Honolulu hotel: Honolulu hotels; a hotel: hotels; a house: houses; a horse: horses
a hound: hounds; a houri: houris; a heifer: heifers; a height chart: height charts; a helmet: helmets
a hermit crab: hermit crabs; a historian: historians; a hyena: hyenas; a hydrant: hydrants; a hieroglyph: hieroglyphs
a hi-fi: hi-fis; a hula hoop: hula hoops; a hutch: hutches; an x-ray: x-rays; an X-ray: X-rays
an x-ray machine: x-ray machines; an f-stop: f-stops; an f-number: f-numbers; an f-hole: f-holes; an F-hole: F-holes
an e-reader: e-readers; an e-book: e-books; an e-bike: e-bikes; an e-scooter: e-scooters; an e-mail: e-mails
an e-cigarette: e-cigarettes; an i-beam: i-beams; an I-beam: I-beams; an L-bracket: L-brackets
an l-shaped sofa: l-shaped sofas; an L-plate: L-plates; an n-type transistor: n-type transistors; an n-gram: n-grams
an N-gauge train: N-gauge trains; an R-rated movie: R-rated movies; an r-value: r-values; an s-curve: s-curves
an S-hook: S-hooks; an S-bend: S-bends; an H-beam: H-beams; an h-beam: h-beams; an A-frame: A-frames
an a-line dress: a-line dresses; an A-line skirt: A-line skirts; an o-ring: o-rings; an O-ring: O-rings
an X-wing: X-wings; an x-axis: x-axes; an X-Acto knife: X-Acto knives; an F-16: F-16s; an M-16: M-16s
an m-shaped logo: m-shaped logos; an M-shaped logo: M-shaped logos; a T-shirt: T-shirts; a t-shirt: t-shirts
a T-bone steak: T-bone steaks; a T-junction: T-junctions; a u-bend: u-bends; a V-neck: V-necks; a v-neck: v-necks
a Y-junction: Y-junctions; a y-axis: y-axes; a z-axis: z-axes; a G-string: G-strings; a g-string: g-strings
a C-clamp: C-clamps; a c-clamp: c-clamps; a D-ring: D-rings; a d-pad: d-pads; a P-trap: P-traps; a Q-tip: Q-tips
a q-tip: q-tips; a J-hook: J-hooks; a j-hook: j-hooks; a B-side: B-sides; a b-boy: b-boys; a K-cup: K-cups
a w-shaped crack: w-shaped cracks; a B-52: B-52s; a V-8 engine: V-8 engines; a k-pop star: k-pop stars
a p-n junction: p-n junctions; a T-square: T-squares; an MRI: MRIs; an MRI scan: MRI scans; an SUV: SUVs; an LED: LEDs
an LCD: LCDs; an LP: LPs; an RV: RVs; an ATV: ATVs; an ATM: ATMs; an SLR: SLRs; an RFID tag: RFID tags; an RPG: RPGs
an NFL player: NFL players; an MBA: MBAs; an NBA player: NBA players; an MVP: MVPs; an MP3 player: MP3 players
an MD: MDs; an FBI agent: FBI agents; an FM radio: FM radios; an HD screen: HD screens; an HDTV: HDTVs
an HVAC unit: HVAC units; an HTML page: HTML pages; an IBM computer: IBM computers; an IPA: IPAs; an ICU: ICUs
an ID card: ID cards; an IED: IEDs; an EEG: EEGs; an EKG: EKGs; an EMT: EMTs; an EV: EVs; an AK-47: AK-47s
an AC unit: AC units; an OLED: OLEDs; an XML file: XML files; an XL shirt: XL shirts; an NGO: NGOs
an LGBT flag: LGBT flags; an FPS game: FPS games; an SD card: SD cards; an SSD: SSDs; an NPC: NPCs; an MC: MCs
an RNA strand: RNA strands; an RC car: RC cars; an HIV test: HIV tests; an mRNA strand: mRNA strands
an iPhone: iPhones; an eBay box: eBay boxes; a TV: TVs; a TV set: TV sets; a DVD: DVDs; a CD: CDs; a PC: PCs
a UFO: UFOs; a USB stick: USB sticks; a URL: URLs; a UAV: UAVs; a UV lamp: UV lamps; a UPS truck: UPS trucks
a UN flag: UN flags; a UK passport: UK passports; a US flag: US flags; a USSR stamp: USSR stamps
a UNESCO site: UNESCO sites; a UEFA cup: UEFA cups; a VCR: VCRs; a VIP: VIPs; a GPU: GPUs; a CPU: CPUs; a DSLR: DSLRs
a BMW: BMWs; a BMX bike: BMX bikes; a JPEG: JPEGs; a GIF: GIFs; a PNG: PNGs; a PDF: PDFs; a QR code: QR codes
a WC: WCs; a YMCA: YMCAs; a CCTV camera: CCTV cameras; a DJ: DJs; a DNA strand: DNA strands; a PVC pipe: PVC pipes
a VHS tape: VHS tapes; a ZIP code: ZIP codes; a MiG: MiGs; a NASA shuttle: NASA shuttles
a NATO soldier: NATO soldiers; a NAND gate: NAND gates; a SIM card: SIM cards; a RAM chip: RAM chips
a ROM chip: ROM chips; a LAN cable: LAN cables; a HUD: HUDs; a SWAT team: SWAT teams; a SCUBA diver: SCUBA divers
a FIFA ball: FIFA balls; a FEMA trailer: FEMA trailers; a LEGO brick: LEGO bricks; a MIDI keyboard: MIDI keyboards
a MOSFET: MOSFETs; a HEPA filter: HEPA filters; a MAC address: MAC addresses; an 8-ball: 8-balls
an 18-wheeler: 18-wheelers; an 8-bit console: 8-bit consoles; an 80s car: 80s cars
an 80-year-old man: 80-year-old men; an 11-story building: 11-story buildings
an 18th-century clock: 18th-century clocks; an 11th-century church: 11th-century churches; an 8x8 grid: 8x8 grids
an 8mm film: 8mm films; an 1800s house: 1800s houses; an 1851 map: 1851 maps; an 18-hole course: 18-hole courses
an 11,000-seat stadium: 11,000-seat stadiums; an 18,000-seat stadium: 18,000-seat stadiums
an 8.5-inch disc: 8.5-inch discs; an 88-key piano: 88-key pianos; a 3D model: 3D models; a 2x4: 2x4s; a 4x4: 4x4s
a 110-volt plug: 110-volt plugs; a 1,800-seat hall: 1,800-seat halls; a 100-yen shop: 100-yen shops
a 1980s car: 1980s cars; a 19th-century hat: 19th-century hats; a 12-pack: 12-packs; a 5-pointed star: 5-pointed stars
a 9-iron: 9-irons; a 118-foot yacht: 118-foot yachts; a 2CV: 2CVs; a 180-degree turn: 180-degree turns
a 1.8-liter engine: 1.8-liter engines; a 110,000-seat stadium: 110,000-seat stadiums; a yak: yaks; a yacht: yachts
a yurt: yurts; a yo-yo: yo-yos; a yew: yews; a yeti: yetis; an ytterbium lamp: ytterbium lamps
a xylophone: xylophones; a Xerox machine: Xerox machines; a xenon lamp: xenon lamps; a wreath: wreaths
a wrench: wrenches; a gnome: gnomes; a gnu: gnus; a knight: knights; a knife: knives; a pterodactyl: pterodactyls
a psychologist: psychologists; a mnemonic: mnemonics; a tsunami: tsunamis; a czar: czars; a quay: quays
a queue: queues; a jalapeño: jalapeños; a piñata: piñatas; a crêpe: crêpes; a façade: façades; a Škoda: Škodas
an éclair: éclairs; an Éclair: Éclairs; an émigré: émigrés; an étagère: étagères; an Ångström unit: Ångström units
""")

#: Words whose plural their last letters do not tell.
ENDINGS = read("""
a leaf: leaves; a loaf: loaves; a wolf: wolves; a calf: calves; a half: halves; a shelf: shelves
a bookshelf: bookshelves; a thief: thieves; a scarf: scarves; a headscarf: headscarves; an elf: elves; a hoof: hooves
a wife: wives; a housewife: housewives; a penknife: penknives; a werewolf: werewolves; an aardwolf: aardwolves
a sheaf: sheaves; a roof: roofs; a chef: chefs; a reef: reefs; a cliff: cliffs; a giraffe: giraffes
a sheriff: sheriffs; a chief: chiefs; a cuff: cuffs; a gulf: gulfs; a handkerchief: handkerchiefs; a safe: safes
a cafe: cafes; a café: cafés; a carafe: carafes; a wharf: wharves; a puff: puffs; an oaf: oafs; a fife: fifes
a mastiff: mastiffs; a proof: proofs; a potato: potatoes; a tomato: tomatoes; a hero: heroes; an echo: echoes
a volcano: volcanoes; a tornado: tornadoes; a mosquito: mosquitoes; a mango: mangoes; a torpedo: torpedoes
a domino: dominoes; a piano: pianos; a photo: photos; a radio: radios; a studio: studios; a video: videos
a kangaroo: kangaroos; a cello: cellos; a logo: logos; a taco: tacos; a burrito: burritos; an avocado: avocados
a flamingo: flamingos; an armadillo: armadillos; a gecko: geckos; a rhino: rhinos; a hippo: hippos; a casino: casinos
a poncho: ponchos; a silo: silos; a kimono: kimonos; a tuxedo: tuxedos; a tattoo: tattoos; a banjo: banjos
a stiletto: stilettos; an embryo: embryos; a patio: patios; a cockatoo: cockatoos; a dodo: dodos; a memo: memos
a disco: discos; a rodeo: rodeos; a zoo: zoos; a dynamo: dynamos; a piccolo: piccolos; a sombrero: sombreros
a limo: limos; a hobo: hobos; a jumbo: jumbos; a bus: buses; a minibus: minibuses; a cactus: cacti; a fungus: fungi
an octopus: octopuses; a walrus: walruses; a hippopotamus: hippopotamuses; a platypus: platypuses; a crocus: crocuses
a virus: viruses; a campus: campuses; a stylus: styluses; an abacus: abacuses; a hibiscus: hibiscuses
a sinus: sinuses; a circus: circuses; a lotus: lotuses; a nucleus: nuclei; a radius: radii; a thesaurus: thesauruses
a citrus: citruses; a chorus: choruses; an axis: axes; an oasis: oases; a crisis: crises; an ellipsis: ellipses
a basis: bases; an analysis: analyses; an iris: irises; a pelvis: pelvises; a mantis: mantises; a trellis: trellises
an ibis: ibises; a chrysalis: chrysalises; a metropolis: metropolises; a portcullis: portcullises
an aquarium: aquariums; a stadium: stadiums; a museum: museums; a gymnasium: gymnasiums; a bacterium: bacteria
a geranium: geraniums; a podium: podiums; an album: albums; a drum: drums; a planetarium: planetariums
a phenomenon: phenomena; a criterion: criteria; a polygon: polygons; a lion: lions; an accordion: accordions
a balloon: balloons; a larva: larvae; an alga: algae; a vertebra: vertebrae; a banana: bananas; a camera: cameras
a gondola: gondolas; an orca: orcas; an alpaca: alpacas; a tiara: tiaras; a sofa: sofas; a llama: llamas
a panda: pandas; a nebula: nebulae; an axe: axes; a box: boxes; a fox: foxes; an ox: oxen; a lynx: lynxes
a sphinx: sphinxes; a matrix: matrices; a vertex: vertices; a crucifix: crucifixes; a phoenix: phoenixes; a fax: faxes
a mailbox: mailboxes; a suffix: suffixes; a plateau: plateaus; a bureau: bureaus; a church: churches
a stomach: stomachs; a monarch: monarchs; a loch: lochs; a bench: benches; an arch: arches; a patriarch: patriarchs
a Czech: Czechs; a moth: moths; a path: paths; a brush: brushes; a radish: radishes; a quiz: quizzes; a waltz: waltzes
a fez: fezzes; a topaz: topazes; a buzz: buzzes; a blitz: blitzes; a berry: berries; a monkey: monkeys
a trolley: trolleys; a guy: guys; a baby: babies; a pony: ponies; a canary: canaries; a butterfly: butterflies
a jersey: jerseys; a key: keys; a soliloquy: soliloquies; a lay-by: lay-bys; a passerby: passersby
a mother-in-law: mothers-in-law; a boy: boys; a man-of-war: men-of-war; a jack-in-the-box: jack-in-the-boxes
a jack-o'-lantern: jack-o'-lanterns; a runner-up: runners-up; a forget-me-not: forget-me-nots
a merry-go-round: merry-go-rounds; a cul-de-sac: cul-de-sacs; a coat of arms: coats of arms
a bird of prey: birds of prey; a lily of the valley: lilies of the valley; a push-up: push-ups; a close-up: close-ups
a go-kart: go-karts; a lean-to: lean-tos; a hanger-on: hangers-on; a hot dog: hot dogs
a will-o'-the-wisp: will-o'-the-wisps; a four-by-four: four-by-fours; a person: people; a salesperson: salespeople
a man: men; a snowman: snowmen; a fireman: firemen; a woman: women; a policewoman: policewomen; a child: children
a grandchild: grandchildren; a foot: feet; a tooth: teeth; a mouse: mice; a dormouse: dormice; a titmouse: titmice
a louse: lice; a goose: geese; a mongoose: mongooses; a computer mouse: computer mice; a blouse: blouses
a greenhouse: greenhouses; a lighthouse: lighthouses; a spouse: spouses; a human: humans; a German: Germans
a Roman: Romans; a talisman: talismans; a caiman: caimans; an ottoman: ottomans; a shaman: shamans; a die: dice
a penny: pennies; a cow: cows; a pig: pigs; a root: roots; a boot: boots; a ski: skis; a taxi: taxis
a bikini: bikinis; a kiwi: kiwis; a menu: menus; a tutu: tutus; a safari: safaris; a rabbi: rabbis
a martini: martinis; a jet-ski: jet-skis; a glass: glasses; a dress: dresses; a cross: crosses; a mattress: mattresses
a compass: compasses; a boss: bosses; a lens: lenses; a gas: gases; an atlas: atlases; a canvas: canvases
a Christmas: Christmases; a walkie-talkie: walkie-talkies; a cookie: cookies; a movie: movies; a pie: pies
a tie: ties; a bow tie: bow ties; a zombie: zombies; a collie: collies; a magpie: magpies; a genie: genies
a cave: caves; a glove: gloves; a sleeve: sleeves; a valve: valves; a dove: doves; a hive: hives; a stove: stoves
a wave: waves; an olive: olives; a nerve: nerves; a slave: slaves; a curve: curves; a nose: noses
a rose: roses; a vase: vases; a hose: hoses; a purse: purses; a case: cases; a base: bases; a cheese: cheeses
a course: courses; a corpse: corpses; a phase: phases; an eclipse: eclipses; an ellipse: ellipses
a tortoise: tortoises; a nurse: nurses; a bruise: bruises; a maze: mazes; a prize: prizes; a size: sizes
a gauze: gauzes; a breeze: breezes; a shoe: shoes; a toe: toes; a canoe: canoes; a hoe: hoes; an oboe: oboes
a horseshoe: horseshoes; a tiptoe: tiptoes; a cache: caches; a headache: headaches; a toothache: toothaches
a psyche: psyches; a quiche: quiches; a moustache: moustaches; a cliche: cliches; a brioche: brioches
an avalanche: avalanches
""")

#: Nouns of which one looks like many.
SAME = """
sheep deer fish goldfish starfish jellyfish swordfish moose bison swine salmon trout aircraft spacecraft hovercraft
series species shrimp squid elk cod tuna samurai crossroads barracks gallows chassis grouse Chinese Japanese Swiss
""".split()  # noqa: SIM905
