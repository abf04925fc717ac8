"""Random layouts of replies, each right reply in fifteen forms of white space: is each scored 1?

    python3 benches/reliability/replies.py COOKC --count 350 --seed 2

Prints the first wrong one of each template.
"""
import argparse
import json
import os
import random
import subprocess
import tempfile

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("cookc")
parser.add_argument("--count", type=int, default=350)
parser.add_argument("--seed", type=int, default=2)
asked = parser.parse_args()
B, R, N = os.path.abspath(asked.cookc), random.Random(asked.seed), asked.count
folder = tempfile.TemporaryDirectory()
os.chdir(folder.name)


def out(i):
    x=f'x{i}';n=f'n{i}'
    c=R.choice(['0..3','0..1','1..3','0..2','2..2'])
    m=f'{n} ~ uniform({c})\n'
    o=[
     (f'{x} ~ pick(vocab)\n','{%s}'%x),
     (f'{x} ~ uniform(-5..50)\n','{%s}'%x),
     (f'{x} ~ coin(0.5)\n','{%s}'%x),
     (f'{x} ~ pick(["", "yes", "no"])\n','{%s}'%x),
     (f'{x} ~ pick(["it is", "yes it is so", "no"])\n','{%s}'%x),
     (m+f'{x} ~ distinct({n}, vocab)\n','{%s}'%x),
     (m+f'{x} ~ draw({n}, -9..99)\n','{%s}'%x),
     (m+f'{x} ~ draw({n}, -9..99)\n','{join(", ", %s)}'%x),
     (m+f'{x} ~ draw({n}, -9..99)\n','{join("  |  ", %s)}'%x),
     (m+f'{x} ~ draw({n}, -9..99)\n','{join("\\n", %s)}'%x),
     (m+f'{x} ~ draw({n}, -9..99)\n','{join(" ,\\n ", %s)}'%x),
     (m+f'{x} ~ distinct({n}, vocab)\n','{join("\\n\\n", %s)}'%x),
     (m+f'{x} ~ draw({n}, ["a b", "c  d", "e"])\n','{join("; ", %s)}'%x),
     (m+f'{x} ~ draw({n}, ["a b", "c d", "e"])\n','{join(" ; ", %s)}'%x),
     (m+f'{x} ~ repeat({n}, distinct(2, vocab))\n','{%s}'%x),
     (m+f'{x} ~ repeat({n}, distinct(2, 1..90))\n','{%s}'%x),
     (m+f'{x} ~ distinct({n}, vocab)\n','{numbered(%s)}'%x),
     (m+f'{x} ~ repeat({n}, distinct(2, vocab))\n','{numbered(%s)}'%x),
     (m+f'{x} ~ repeat({n}, distinct(1, vocab))\n','{numbered(%s)}'%x),
     (m+f'k{i} ~ distinct({n}, vocab)\n{x} ~ draw({n}, 1..99)\n','{lines("{k%d}: {%s}")}'%(i,x)),
     (m+f'k{i} ~ distinct({n}, vocab)\n{x} ~ draw({n}, 1..99)\n','{lines("{k%d}  =>  {%s}")}'%(i,x)),
     (m+f'k{i} ~ draw({n}, ["a key", "b"])\n{x} ~ draw({n}, 1..99)\n','{lines("{k%d} = {%s}")}'%(i,x)),
     (m+f'k{i} ~ distinct({n}, vocab)\n{x} ~ draw({n}, vocab)\n','{lines("{k%d}. {%s}")}'%(i,x)),
     (m+f'k{i} ~ distinct({n}, vocab)\nw{i} ~ uniform(0..2)\n{x} ~ repeat({n}, distinct(w{i}, vocab))\n','{lines("{k%d}: {%s}")}'%(i,x)),
     (m+f'w{i} ~ uniform(0..2)\n{x} ~ repeat({n}, distinct(w{i}, vocab))\n','{numbered(%s)}'%x),
    ]
    return R.choice(o)
SEP=['\\n','\\n','\\n\\n','\\n--\\n',' ; ','  ;  ','\\n== ',' || ','\\nB: ','\\nB:  ','\\n  -  ',' \\n',';',' ',' -> ','\\t','\\n\\n\\n','.\\n',' and ']
def gen():
    k=R.randint(1,4)
    st='';rp=R.choice(['','','','So: ','So:  ','\\n','A:\\n','- ','  '])
    names=[]
    for i in range(k):
        s,h=out(i); st+=s
        if i: rp+=R.choice(SEP)
        rp+=h
    rp+=R.choice(['','','','\\nEnd',' !','\\n','  !','\\n\\n','  ','.'])
    keys=''
    if R.random()<.5:
        keys=' '.join('{k%d}'%i for i in range(k) if f'k{i} ~' in st)
    return st+'seen ~ distinct(4, vocab)\nprompt "Of {seen} '+keys+'"\nreply "'+rp+'"\n'
def var(r):
    s=r
    while '  ' in s: s=s.replace('  ',' ')
    return [r,r.strip(),r.rstrip(),'\n'+r,'\n\n'+r.strip()+'\n','  '+r+'\n',r.replace('\n','\r\n'),r.strip().replace('\n','\r'),
      '\r\n'+r.strip().replace('\n','\r\n')+'\r\n']+ ([ '\n'.join(l+'  ' for l in r.split('\n')),'\n'.join('  '+l for l in r.split('\n')),'\n'.join(l.strip() for l in r.split('\n')),r.replace(' ','  '),s, r.replace(' ','\t')] )
fit=ref=bad=tot=0
while fit<N:
    t=gen(); open('t.cook','w').write(t)
    p=subprocess.run([B,'generate','t.cook','-n','12','-o','r.jsonl'],capture_output=True,text=True)
    if p.returncode:
        if 'panick' in p.stderr: print('PANIC',t,p.stderr)
        ref+=1; continue
    fit+=1
    loose='""' in t or 'c  d' in t or '\\t' in t
    rows=[json.loads(l) for l in open('r.jsonl')]
    L=[]
    for row in rows:
        vs=var(row['reply'])
        if loose: vs=vs[:9]
        for v in vs: L.append(json.dumps({'index':row['index'],'reply':v}))
    open('v.jsonl','w').write('\n'.join(L)+'\n')
    p=subprocess.run([B,'judge','t.cook','v.jsonl','--format','json'],capture_output=True,text=True)
    if p.returncode: print('JUDGE',t,p.stderr); continue
    res=p.stdout.strip().split('\n')[:-1]
    shown=0
    for a,b in zip(res,L):
        tot+=1
        if not json.loads(a)['exact']:
            bad+=1
            if shown<1: print('---',t,repr(json.loads(b)['reply']),a[:300]); shown+=1
print('fit',fit,'refused',ref,'tried',tot,'bad',bad)
