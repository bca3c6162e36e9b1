# A verifier of the draw, written from docs/draw.md alone, in a language that shares no code with
# examgate. Reads draw-vectors.json from standard input; prints one line for each thing that is
# wrong and how many were right. Core modules only.
use strict;
use warnings;
use Digest::SHA qw(sha256_hex hmac_sha256);
use Encode qw(encode);
use JSON::PP;
use MIME::Base64 qw(encode_base64);
use Math::BigInt;

my ($right, @wrong) = (0);

sub check {
    my ($what, $got, $wanted) = @_;
    ($got, $wanted) = map { defined $_ ? $_ : 'null' } $got, $wanted;
    if ($got eq $wanted) { $right++ } else { push @wrong, "$what: $got instead of $wanted" }
}

sub hash_of { sha256_hex(encode('UTF-8', $_[0])) }

sub by_bytes {
    sort { encode('UTF-8', $a) cmp encode('UTF-8', $b) } @_;
}

sub hash_of_names { hash_of(join '', map { "$_\n" } by_bytes(@_)) }

sub canonical { JSON::PP->new->canonical->encode($_[0]) }    # characters, not yet bytes

# --- the commitment -----------------------------------------------------------------------------

sub hall_of {
    my ($from) = @_;
    my @terminals;
    for my $t (@{ $from->{terminals} }) {
        my %kept;
        for my $key (qw(name position row column in_service reserved accessible classes)) {
            $kept{$key} = $t->{$key} if exists $t->{$key};
        }
        push @terminals, \%kept;
    }
    return { capacity => $from->{capacity}, rules => $from->{rules}, terminals => \@terminals };
}

sub commitment {
    my ($session, $hall_sha256, $seed) = @_;
    return hash_of(join "\n", 'examgate/seed/v2', $session, $hall_sha256, $seed);
}

# --- the rules ----------------------------------------------------------------------------------

sub neighbours {
    my ($one, $other) = @_;
    my ($a, $b) = map { exists $_->{row} ? 1 : 0 } $one, $other;
    if ($a && $b) {
        return $one->{row} == $other->{row} && abs($one->{column} - $other->{column}) == 1;
    }
    return !$a && !$b && abs($one->{position} - $other->{position}) == 1;
}

# held: name => school or undef. Gives free, pool, whether spacing gave way, refusal.
sub pool_of {
    my ($terminals, $held, $facts, $capacity, $spacing) = @_;
    my @free = grep { $_->{in_service} && !$_->{reserved} && !exists $held->{ $_->{name} } }
        @$terminals;
    my @names = by_bytes(map { $_->{name} } @free);
    return (\@names, [], 0, 'HALL_FULL') if !@free || keys(%$held) >= $capacity;
    my @left = grep {
        my $t = $_;
        !@{ $t->{classes} } || grep { $_ eq $facts->{licence_class} } @{ $t->{classes} }
    } @free;
    return (\@names, [], 0, 'NO_TERMINAL_FOR_CLASS') if !@left;
    if ($facts->{accessible}) {
        @left = grep { $_->{accessible} } @left;
        return (\@names, [], 0, 'NO_ACCESSIBLE_TERMINAL') if !@left;
    }
    else {
        my @others = grep { !$_->{accessible} } @left;
        @left = @others if @others;
    }
    my $gave_way = 0;
    if ($spacing && defined $facts->{school}) {
        my @mates = grep {
            my $school = $held->{ $_->{name} };
            defined $school && $school eq $facts->{school}
        } @$terminals;
        my @apart = grep { my $t = $_; !grep { neighbours($t, $_) } @mates } @left;
        $gave_way = @apart ? 0 : 1;
        @left = @apart if @apart;
    }
    return (\@names, [by_bytes(map { $_->{name} } @left)], $gave_way, undef);
}

# --- the draw -----------------------------------------------------------------------------------

sub uniform {
    my ($next, $size) = @_;
    my $all = Math::BigInt->new(2)->bpow(256);
    my $limit = $all - $all % $size;
    for (my $rounds = 1;; $rounds++) {
        my $block = Math::BigInt->from_hex($next->());
        return (($block % $size)->numify, $rounds) if $block < $limit;
    }
}

sub message {
    my ($session, $d, $free_hash, $pool_hash) = @_;
    return join "\n", 'examgate/draw/v2', $session, $d->{draw_no}, $d->{pseudonym},
        $d->{signature_sha256}, $free_hash, $pool_hash;
}

sub blocks {
    my ($seed, $message) = @_;
    my $r = 0;
    my $bytes = encode('UTF-8', $message);
    return sub { unpack 'H*', hmac_sha256($bytes . "\n" . $r++, pack('H*', $seed)) };
}

# --- a whole record -----------------------------------------------------------------------------

sub replay {
    my ($record) = @_;
    my ($session, @entries) = ($record->{session_id}, @{ $record->{entries} });
    my ($seed) = map { $_->{payload}{seed} } grep { $_->{kind} eq 'session_closed' } @entries;
    my (%terminal, $hall, %held, %holds, %voided, %signed, %used);
    my $draws = 0;
    for my $e (@entries) {
        my ($p, $who, $name) = ($e->{payload}, $e->{pseudonym}, $e->{terminal});
        if ($e->{kind} eq 'session_opened') {
            $hall = hall_of($p);
            check('record hall', hash_of(canonical($hall)), $p->{hall_sha256});
            check('record commitment', commitment($session, $p->{hall_sha256}, $seed),
                $p->{commitment});
            $terminal{ $_->{name} } = $_ for @{ $hall->{terminals} };
        }
        elsif ($e->{kind} eq 'terminal_changed') {
            for my $key (qw(in_service reserved accessible classes)) {
                $terminal{$name}{$key} = $p->{$key} if exists $p->{$key};
            }
        }
        elsif ($e->{kind} eq 'signed') {
            $signed{$who} = $p->{signature_sha256} if ($p->{purpose} || 'entry') eq 'entry';
        }
        elsif ($e->{kind} eq 'seat_drawn') {
            $draws++;
            check("draw $draws number", $p->{draw_no}, $draws);
            check("draw $draws signature", $p->{signature_sha256}, delete $signed{$who});
            check("draw $draws fresh", $used{ $p->{signature_sha256} }++ || 0, 0);
            check("draw $draws seat", exists $held{$name} || exists $holds{$who} ? 1 : 0, 0);
            check("draw $draws replaces", $p->{replaces}, delete $voided{$who});
            my ($free, $pool, $gave_way, $refusal) = pool_of([values %terminal],
                { map { $_ => $held{$_}{school} } keys %held },
                $p->{facts}, $hall->{capacity}, $hall->{rules}{spacing});
            check("draw $draws refusal", $refusal, undef);
            check("draw $draws free", "@{ $p->{free} }", "@$free");
            check("draw $draws pool", join(' ', @{ $p->{pool} || $p->{free} }), "@$pool");
            check("draw $draws gave way", $p->{spacing_gave_way} ? 1 : 0, $gave_way);
            check("draw $draws free hash", $p->{free_hash}, hash_of_names(@$free));
            check("draw $draws pool hash", $p->{pool_hash}, hash_of_names(@$pool));
            my $message = message($session, { %$p, pseudonym => $who }, $p->{free_hash},
                $p->{pool_hash});
            next if !@$pool;    # nothing can have been drawn; said above
            my ($index, $rounds) = uniform(blocks($seed, $message), scalar @$pool);
            check("draw $draws index", $p->{index}, $index);
            check("draw $draws rounds", $p->{rounds}, $rounds);
            check("draw $draws terminal", $name, $pool->[$index]);
            $held{$name} = { school => $p->{facts}{school}, draw_no => $draws };
            $holds{$who} = $name;
        }
        elsif ($e->{kind} eq 'seat_voided') {
            check("void $name", $p->{draw_no}, $held{$name}{draw_no});
            if ($p->{why} eq 'terminal_broken') {
                check("broken $name", $terminal{$name}{in_service} ? 1 : 0, 0);
            }
            delete $held{$name};
            delete $holds{$who};
            delete $signed{$who};
            $voided{$who} = $p->{draw_no};
        }
    }
}

# --- a receipt ----------------------------------------------------------------------------------

sub leaf { Digest::SHA::sha256("\0" . encode('UTF-8', $_[0])) }

# RFC 6962, 2.1: the left part has the largest power of two of leaves that is below their number.
sub root {
    my @leaves = @_;
    return $leaves[0] if @leaves == 1;
    my $left = 1;
    $left *= 2 while $left * 2 < @leaves;
    return Digest::SHA::sha256(
        "\1" . root(@leaves[0 .. $left - 1]) . root(@leaves[$left .. $#leaves]));
}

sub check_receipt {
    my ($v) = @_;
    my ($tag, $session, $terminal, $draw_no, $seq, $leaf, $empty, $origin, $size, $root, $none,
        $signature, @rest) = split /\n/, $v->{receipt}, -1;
    my $entry = JSON::PP->new->decode($v->{entry});
    check('receipt form', "$tag|$empty|$none|@rest", 'examgate/receipt/v1|||');
    check('receipt kind', $entry->{kind}, 'seat_drawn');
    check('receipt session', $session, $entry->{session_id});
    check('receipt terminal', $terminal, $entry->{terminal});
    check('receipt draw', $draw_no, $entry->{payload}{draw_no});
    check('receipt entry', $seq, $entry->{seq});
    check('receipt leaf', $leaf, unpack 'H*', leaf($v->{entry}));
    check('receipt place', $leaf, $v->{leaves}[$seq - 1]);
    check('receipt size', $size, scalar @{ $v->{leaves} });
    check('receipt root', $root, encode_base64(root(map { pack 'H*', $_ } @{ $v->{leaves} }), ''));
    my ($name, $id) = split /\+/, $v->{vkey};
    check('receipt origin', $origin, $name);
    my ($by, $coded) = $signature =~ /^\x{2014} (\S+) (\S+)$/;
    check('receipt signed by', $by, $name);
    check('receipt key', unpack('H8', MIME::Base64::decode_base64($coded)), $id);
}

# --- the vectors --------------------------------------------------------------------------------

my $vectors = JSON::PP->new->utf8->decode(do { local $/; <STDIN> });

for my $v (@{ $vectors->{commitments} }) {
    my $text = canonical(hall_of($v->{hall}));
    check('hall_json', $text, $v->{hall_json});
    check('hall_sha256', hash_of($text), $v->{hall_sha256});
    check('commitment', commitment($v->{session_id}, hash_of($text), $v->{seed}),
        $v->{commitment});
}
for my $v (@{ $vectors->{pools} }) {
    my ($free, $pool, $gave_way, $refusal) = pool_of($v->{hall}{terminals}, $v->{held},
        $v->{facts}, $v->{hall}{capacity}, $v->{hall}{rules}{spacing});
    check("$v->{says}: free", "@$free", "@{ $v->{free} }");
    check("$v->{says}: pool", "@$pool", "@{ $v->{pool} }");
    check("$v->{says}: gave way", $gave_way, $v->{spacing_gave_way} ? 1 : 0);
    check("$v->{says}: refusal", $refusal, $v->{refusal});
}
for my $v (@{ $vectors->{draws} }) {
    my ($free_hash, $pool_hash) = (hash_of_names(@{ $v->{free} }), hash_of_names(@{ $v->{pool} }));
    check('free_hash', $free_hash, $v->{free_hash});
    check('pool_hash', $pool_hash, $v->{pool_hash});
    my $message = message($v->{session_id}, $v, $free_hash, $pool_hash);
    check('message', $message, $v->{message});
    check('block', blocks($v->{seed}, $message)->(), $v->{block_0});
    my ($index, $rounds) = uniform(blocks($v->{seed}, $message), scalar @{ $v->{pool} });
    check('index', $index, $v->{index});
    check('rounds', $rounds, $v->{rounds});
    check('terminal', (by_bytes(@{ $v->{pool} }))[$index], $v->{terminal});
}
for my $v (@{ $vectors->{rejections} }) {
    my @blocks = @{ $v->{blocks} };
    my ($index, $rounds) = uniform(sub { shift @blocks }, $v->{size});
    check('rejection', "$index $rounds", "$v->{index} $v->{rounds}");
}
replay($vectors->{record});
check_receipt($_) for @{ $vectors->{receipts} };

binmode STDOUT, ':encoding(UTF-8)';
print "WRONG $_\n" for @wrong;
print "$right right, ", scalar @wrong, " wrong\n";
exit(@wrong ? 1 : 0);
