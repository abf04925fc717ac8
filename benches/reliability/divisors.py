"""Random templates that divide, with every draw counted out: is `cookc check` right about zero?

    python3 benches/reliability/divisors.py COOKC --count 200 --seed 3

Prints each template that can divide by zero and is not warned of, and each that cannot and is.
"""
import argparse
import collections
import itertools
import pathlib
import random
import subprocess
import tempfile

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("cookc")
parser.add_argument("--count", type=int, default=200)
parser.add_argument("--seed", type=int, default=3)
asked = parser.parse_args()
R = random.Random(asked.seed)
N = asked.count
folder = tempfile.TemporaryDirectory()
path = pathlib.Path(folder.name, "t.cook")


def check(statements):
    """The exit code and what is printed."""
    names = [line.split(" ")[0] for line in statements.split("\n")]
    shown = " ".join("{%s}" % name for name in names)
    path.write_text(
        statements + "\nseen_ ~ pick(vocab)\nrule known: seen_ in vocab\n"
        'prompt "' + shown + '"\nreply "{seen_}"\n')
    done = subprocess.run([asked.cookc, "check", path], capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def case():
    st=[];dom=[];names=[]
    for i in range(R.randint(1,3)):
        v='abc'[i]
        k=R.choice(['u','u','list','dist','pick'])
        if k=='u':
            lo=R.randint(-5,10);hi=lo+R.randint(3,60); st.append(f'{v} ~ uniform({lo}..{hi})'); dom.append(range(lo,hi+1)); names.append((v,'n'))
        elif k=='pick':
            xs=[R.randint(-20,50) for _ in range(R.randint(2,6))]; st.append(f'{v} ~ pick({xs})'); dom.append(sorted(set(xs))); names.append((v,'n'))
        elif k=='list':
            n=R.randint(2,3);hi=R.randint(3,12); st.append(f'{v} ~ draw({n}, 1..{hi})'); dom.append(list(itertools.product(range(1,hi+1),repeat=n))); names.append((v,'l'))
        else:
            n=R.randint(2,3);hi=R.randint(4,12); st.append(f'{v} ~ distinct({n}, 1..{hi})'); dom.append(list(itertools.permutations(range(1,hi+1),n))); names.append((v,'l'))
    size=1
    for d in dom: size*=len(d)
    if size>200000: return case()
    def atom():
        v,k=R.choice(names)
        if k=='n': return R.choice([(v,v),(v,v),(f'{v} * {v}',f'{v}*{v}'),(f'{v} / 3',f'{v}//3'),(f'{v} % 7',f'{v}%7')])
        return R.choice([(f'sum({v})',f'sum({v})'),(f'max({v})',f'max({v})'),(f'min({v})',f'min({v})'),(f'at(0, {v})',f'{v}[0]'),(f'size(unique({v}))',f'len(set({v}))')])
    e,p=atom()
    for _ in range(R.randint(0,3)):
        f,q=atom(); op=R.choice('+-*+-')
        e,p=f'({e}) {op} ({f})',f'({p}){op}({q})'
    c=R.randint(-60,200)
    g=eval('lambda '+','.join(n for n,_ in names)+': '+p)
    if R.random()<.7:
        allv=[g(*[R.choice(list(d)) for d in dom]) for _ in range(400)]
        cnt=collections.Counter(allv); c=min(cnt,key=lambda v:(cnt[v],R.random()))
    e,p=f'({e}) - {c}' if c>=0 else f'({e}) + {-c}',f'({p})-({c})'
    return st,dom,names,e,p,size
miss=false=zero=0;ms=[]
for t in range(N):
    st,dom,names,e,p,size=case()
    f=eval('lambda '+','.join(n for n,_ in names)+': '+p)
    vals=sum(1 for x in itertools.product(*dom) if f(*x)==0)
    rc,o=check('\n'.join(st)+f'\nx = 1000 / ({e})')
    warned='divide' in o
    if 'panic' in o: print('PANIC',o)
    if not warned and ('lint' in o or 'fault,' in o or ' 1 fault' in o):
        print('OTHER',st,e,o[-300:])
    if vals: zero+=1
    if vals and not warned: miss+=1; print('MISS',st,e,vals,size)
    if warned and not vals: false+=1; print('FALSE',st,e)
    if warned and 'always' in o and vals!=size: print('ALWAYS?',st,e,vals,size)
    if vals==size and rc==0: print('NOT ERR',st,e,vals,size)
print(N,'zero possible',zero,'missed',miss,'false',false)
