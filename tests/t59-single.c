/* Hypergradients from tapes in single precision, beside those from double precision, for every problem and
   tape.

   The change is of first order in the rounding of the states: about factor * 2^-24. The factor is measured
   for each problem with a tape of this test that rounds to 2^-8, ..., 2^-14 instead. Rounding errors are no
   worst case, so that one rounding may do several times what another does; that is what `slack` is for. A
   revolve gives states that came from rounded ones, and these too: no more roundings than states kept.

   With -verbose: a line for each problem, map and tape. */
#include <twofold/impl/tapeimpl.h>
#include "problem.h"

#define COARSE "coarse"
static const PetscReal slack = 4;
static const Synthetic spec = {.n = {23, 17, 0}, .p = 6, .c = 2, .density = 0.7, .seed = 4};
static int bits;          /* that COARSE keeps */
static PetscBool verbose; /* the table */

static PetscReal RoundTo(PetscReal x, int keep)
{
  int exponent;
  const PetscReal mantissa = frexp(x, &exponent);

  return ldexp(rint(ldexp(mantissa, keep)), exponent - keep);
}

static PetscErrorCode Push_Coarse(Tape tape, State x)
{
  PetscScalar *a;
  State rounded;
  PetscInt n;

  PetscFunctionBegin;
  PetscCall(StateCreate(x->v[0], x->n, &rounded));
  PetscCall(StateCopy(x, rounded));
  PetscCall(VecGetLocalSize(x->v[0], &n));
  for (PetscInt k = 0; k < x->n; k++) {
    PetscCall(VecGetArray(rounded->v[k], &a));
    for (PetscInt i = 0; i < n; i++) a[i] = RoundTo(PetscRealPart(a[i]), bits);
    PetscCall(VecRestoreArray(rounded->v[k], &a));
  }
  PetscCall(TapePushPieces_Private(tape, rounded));
  PetscCall(StateDestroy(&rounded));
  PetscFunctionReturn(0);
}

static PetscErrorCode Create_Coarse(Tape tape)
{
  PetscFunctionBegin;
  PetscCall(TapeCreate_Memory(tape));
  tape->ops->push = Push_Coarse;
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ a problem */

static const char *const maps[] = {"-lls_fpm_step optimal", "-lls_fpm_type heavyball -lls_fpm_step optimal"};
static const PetscInt vectors[] = {1, 2}; /* of a state */
enum { nmaps = sizeof(maps) / sizeof(maps[0]), steps = 25, kept = 4 };

typedef struct {
  BLPType type;
  BLP blp;
  Vec lambda, reference, g;
  PetscReal factor; /* of the error over that of the states */
} Case;

static PetscErrorCode Gradient(const Case *k, int map, const char tape[], Vec g)
{
  char text[256];
  PetscReal f;
  HG hg;

  PetscFunctionBegin;
  PetscCall(PetscSNPrintf(text, sizeof(text), "-hg_type itd -lls_max_it %d %s -tape_window %d %s", steps,
                          maps[map], steps, tape));
  PetscCall(HGMake(k->blp, NULL, text, &hg));
  PetscCall(HGSolve(hg, k->lambda, &f, g));
  PetscCall(HGDestroy(&hg));
  PetscFunctionReturn(0);
}

static PetscErrorCode MeasureFactor(Case *k, int map)
{
  PetscReal error;

  PetscFunctionBegin;
  k->factor = 0;
  for (bits = 7; bits <= 13; bits++) {
    PetscCall(Gradient(k, map, "-tape_type " COARSE, k->g));
    PetscCall(RelativeDifference(k->g, k->reference, &error));
    k->factor = PetscMax(k->factor, ldexp(error, bits + 1));
  }
  PetscFunctionReturn(0);
}

/* Bytes for some states on the rank with most of w. */
static PetscErrorCode Budget(const Case *k, PetscInt states, PetscInt *bytes)
{
  PetscInt nlocal;
  Vec w;

  PetscFunctionBegin;
  PetscCall(BLPCreateVecs(k->blp, NULL, &w));
  PetscCall(VecGetLocalSize(w, &nlocal));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &nlocal, 1, MPIU_INT, MPI_MAX, TEST_COMM));
  *bytes = states * nlocal * (PetscInt)sizeof(float);
  PetscCall(VecDestroy(&w));
  PetscFunctionReturn(0);
}

static PetscErrorCode CheckTape(Case *k, int map, TapeType type, PetscInt bytes)
{
  char text[128];
  PetscReal error;
  PetscBool revolve;

  PetscFunctionBegin;
  PetscCall(PetscStrcmp(type, TAPEREVOLVE, &revolve));
  PetscCall(
      PetscSNPrintf(text, sizeof(text), "-tape_type %s -tape_single -tape_max_ram %d", type, (int)bytes));
  PetscCall(Gradient(k, map, text, k->g));
  PetscCall(RelativeDifference(k->g, k->reference, &error));
  if (verbose)
    PetscCall(PetscPrintf(TEST_COMM, "%-10s %-10s %-8s factor %7.2g error %8.2g\n", k->type,
                          vectors[map] > 1 ? "heavyball" : "gd", type, (double)k->factor, (double)error));
  const PetscReal most = slack * (revolve ? kept : 1) * k->factor * 6e-8 + 1e-14;
  CHECK(error <= most, "%s, map %d, %s: error %g, more than %g", k->type, map, type, (double)error,
        (double)most);
  CHECK(k->factor < 1e-3 || error > 1e-12, "%s, map %d, %s: nothing is rounded", k->type, map, type);
  PetscFunctionReturn(0);
}

static PetscErrorCode Test(BLPType type, PetscInt ntypes, const char **types)
{
  Case k = {.type = type};
  PetscInt bytes = 0;

  PetscFunctionBegin;
  PetscCall(SyntheticProblem(TEST_COMM, type, &spec, &k.blp));
  PetscCall(BLPCreateVecs(k.blp, &k.lambda, NULL));
  PetscCall(VecDuplicate(k.lambda, &k.g));
  PetscCall(VecDuplicate(k.lambda, &k.reference));
  PetscCall(SyntheticLambda(k.blp, &spec, 7, 1, 1, k.lambda));
  for (int map = 0; map < nmaps; map++) {
    PetscCall(Gradient(&k, map, "-tape_type memory", k.reference));
    PetscCall(MeasureFactor(&k, map));
    PetscCall(Budget(&k, kept * vectors[map], &bytes));
    for (PetscInt t = 0; t < ntypes; t++)
      if (strcmp(types[t], COARSE)) PetscCall(CheckTape(&k, map, types[t], bytes));
  }
  PetscCall(VecDestroy(&k.lambda));
  PetscCall(VecDestroy(&k.g));
  PetscCall(VecDestroy(&k.reference));
  PetscCall(BLPDestroy(&k.blp));
  PetscFunctionReturn(0);
}

int main(int argc, char **argv)
{
  const char **types, **tapes;
  PetscInt ntypes, ntapes;

  PetscFunctionBeginUser;
  PetscCall(TestInitialize(&argc, &argv));
  PetscCall(PetscOptionsHasName(NULL, NULL, "-verbose", &verbose));
  PetscCall(TapeRegister(COARSE, Create_Coarse));
  PetscCall(TapeGetRegistered(&ntapes, &tapes));
  PetscCall(BLPGetRegistered(&ntypes, &types));
  for (PetscInt t = 0; t < ntypes; t++)
    if (SyntheticHasKind(types[t], PETSC_FALSE)) PetscCall(Test(types[t], ntapes, tapes));
  PetscCall(PetscFree(types));
  PetscCall(PetscFree(tapes));
  PetscCall(TestFinalize());
  return 0;
}
