/* Forward mode against the reverse sweep, over all registered problems and maps: the same numbers, by blocks
   of any size, truncated or not, cold or warm; what each keeps; what is refused. */
#include "problem.h"

static const PetscInt steps = 12;

typedef struct {
  BLP blp;
  Vec lambda, g, expected;
  char lower[160]; /* options of the lower level */
} Case;

static PetscErrorCode CaseCreate(BLPType type, const Synthetic *s, FPMType map, Case *k)
{
  PetscFunctionBegin;
  PetscCall(SyntheticProblem(TEST_COMM, type, s, &k->blp));
  PetscCall(BLPCreateVecs(k->blp, &k->lambda, NULL));
  PetscCall(VecDuplicate(k->lambda, &k->g));
  PetscCall(VecDuplicate(k->lambda, &k->expected));
  PetscCall(SyntheticLambda(k->blp, s, 7, 0.5, 0.5, k->lambda));
  PetscCall(PetscSNPrintf(k->lower, sizeof(k->lower),
                          "-hg_type itd -lls_fpm_type %s -lls_fpm_step 0.05 -lls_fpm_momentum 0.4 ", map));
  PetscFunctionReturn(0);
}

static PetscErrorCode CaseDestroy(Case *k)
{
  PetscFunctionBegin;
  PetscCall(VecDestroy(&k->lambda));
  PetscCall(VecDestroy(&k->g));
  PetscCall(VecDestroy(&k->expected));
  PetscCall(BLPDestroy(&k->blp));
  PetscFunctionReturn(0);
}

static PetscErrorCode Make(Case *k, const char more[], HG *hg)
{
  char text[400];

  PetscFunctionBegin;
  PetscCall(PetscSNPrintf(text, sizeof(text), "%s%s", k->lower, more));
  PetscCall(HGMake(k->blp, NULL, text, hg));
  PetscFunctionReturn(0);
}

/* f and g by these options; again from the accepted states where starts are warm, at another lambda. */
static PetscErrorCode Compute(Case *k, const char more[], PetscBool again, PetscReal *f, Vec g,
                              HGReport *report)
{
  Vec lambda;
  HG hg;

  PetscFunctionBegin;
  PetscCall(Make(k, more, &hg));
  PetscCall(HGSolve(hg, k->lambda, f, g));
  if (again) {
    PetscCall(HGAccept(hg));
    PetscCall(VecDuplicate(k->lambda, &lambda));
    PetscCall(VecCopy(k->lambda, lambda));
    PetscCall(VecScale(lambda, 1.01));
    PetscCall(HGSolve(hg, lambda, f, g));
    PetscCall(VecDestroy(&lambda));
  }
  PetscCall(HGGetReport(hg, report));
  PetscCall(HGDestroy(&hg));
  PetscFunctionReturn(0);
}

static PetscErrorCode Same(Case *k, const char what[], PetscInt block, PetscBool again)
{
  char forward[256];
  HGReport r, s;
  PetscReal f, f_reverse, difference;

  PetscFunctionBegin;
  PetscCall(Compute(k, what, again, &f_reverse, k->expected, &r));
  PetscCall(
      PetscSNPrintf(forward, sizeof(forward), "%s -hg_itd_mode forward -hg_itd_block %d", what, (int)block));
  PetscCall(Compute(k, forward, again, &f, k->g, &s));
  PetscCall(RelativeDifference(k->g, k->expected, &difference));
  CHECK(f == f_reverse, "%s%s: f %.17g, not %.17g", k->lower, forward, f, f_reverse);
  CHECK(difference <= 1e-12, "%s%s: differs by %g", k->lower, forward, difference);
  CHECK(s.reason == r.reason && s.reason > 0 && s.lower_its == r.lower_its &&
            s.adjoint_its == r.adjoint_its && s.adjoint_residual == -1 && s.adjoint_reason == 0,
        "%s%s: %s, %d and %d steps", k->lower, forward, HGConvergedReasons[s.reason], (int)s.lower_its,
        (int)s.adjoint_its);
  PetscFunctionReturn(0);
}

/* Whether the type of map goes with the problem's lower level. */
static PetscErrorCode Fits(BLP blp, FPMType map, PetscBool *fits)
{
  PetscBool own;

  PetscFunctionBegin;
  PetscCall(PetscStrcmp(map, FPMPROBLEM, &own));
  PetscCall(own ? BLPHasMap(blp, fits) : BLPHasLoss(blp, fits));
  PetscFunctionReturn(0);
}

static PetscErrorCode Test(BLPType type, const Synthetic *s, FPMType map)
{
  const PetscInt blocks[] = {0, 1, 2, 32};
  char text[80];
  PetscBool fits;
  Case k;

  PetscFunctionBegin;
  PetscCall(CaseCreate(type, s, map, &k));
  PetscCall(Fits(k.blp, map, &fits));
  PetscCall(PetscSNPrintf(text, sizeof(text), "-lls_max_it %d", (int)steps));
  for (size_t b = 0; fits && b < sizeof(blocks) / sizeof(blocks[0]); b++)
    PetscCall(Same(&k, text, blocks[b], PETSC_FALSE));
  if (fits) {
    PetscCall(Same(&k, "-lls_max_it 12 -hg_itd_truncate 5", 2, PETSC_FALSE));
    PetscCall(Same(&k, "-lls_max_it 3 -hg_itd_truncate 5", 2, PETSC_FALSE));
    PetscCall(Same(&k, "-lls_max_it 4 -lls_warm_start", 2, PETSC_TRUE));
    PetscCall(Same(&k, "-lls_max_it 0", 2, PETSC_FALSE));
    PetscCall(Same(&k, "-lls_max_it 500 -lls_rtol 1e-1", 2, PETSC_FALSE));
  }
  PetscCall(CaseDestroy(&k));
  PetscFunctionReturn(0);
}

static PetscErrorCode AllTypes(void)
{
  const Synthetic plain = {.n = {13, 11, 0}, .p = 5, .c = 3, .density = 0.7, .seed = 1};
  const char **types, **maps;
  PetscInt ntypes, nmaps;

  PetscFunctionBegin;
  PetscCall(BLPGetRegistered(&ntypes, &types));
  PetscCall(FPMGetRegistered(&nmaps, &maps));
  for (PetscInt t = 0; t < ntypes; t++)
    for (PetscInt m = 0; m < nmaps; m++) {
      Synthetic s = plain;
      if (SyntheticHasKind(types[t], PETSC_FALSE)) PetscCall(Test(types[t], &s, maps[m]));
      s.map = SyntheticGetType(types[t]).has_map;
      if (s.map) PetscCall(Test(types[t], &s, maps[m]));
      s.map = PETSC_FALSE;
      s.tie = BLP_TIE_SCALAR;
      if (!m && !SyntheticGetType(types[t]).without_ties) PetscCall(Test(types[t], &s, maps[m]));
    }
  PetscCall(PetscFree(types));
  PetscCall(PetscFree(maps));
  PetscFunctionReturn(0);
}

/* Bytes of all ranks together. */
static PetscErrorCode Memory(Case *k, const char more[], PetscLogDouble *bytes)
{
  HG hg;

  PetscFunctionBegin;
  PetscCall(Make(k, more, &hg));
  PetscCall(HGGetMemory(hg, bytes));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, bytes, 1, MPI_DOUBLE, MPI_SUM, TEST_COMM));
  PetscCall(HGDestroy(&hg));
  PetscFunctionReturn(0);
}

/* Forward mode needs a block, whatever the number of steps. */
static PetscErrorCode MemoryOf(Case *k)
{
  PetscLogDouble few, many, more;
  PetscInt nw;

  PetscFunctionBegin;
  PetscCall(BLPGetSizes(k->blp, NULL, &nw));
  PetscCall(Memory(k, "-hg_itd_mode forward -hg_itd_block 1 -lls_max_it 3", &few));
  PetscCall(Memory(k, "-hg_itd_mode forward -hg_itd_block 1 -lls_max_it 30000", &many));
  PetscCall(Memory(k, "-hg_itd_mode forward -hg_itd_block 3 -lls_max_it 3", &more));
  CHECK(few == many, "%g bytes for 3 steps, %g for 30000", few, many);
  CHECK(more - few == 2.0 * (PetscReal)nw * sizeof(PetscScalar), "%g bytes for two columns", more - few);
  PetscFunctionReturn(0);
}

static PetscErrorCode Refusals(Case *k)
{
  HGITDMode mode;
  PetscReal f;
  Tape tape;
  LLS lls;
  HG hg;

  PetscFunctionBegin;
  PetscCall(Make(k, "-hg_itd_mode forward -hg_itd_truncate 2 -lls_max_it 5", &hg));
  PetscCall(HGITDGetMode(hg, &mode));
  CHECK(mode == HG_ITD_FORWARD, "mode %d", (int)mode);
  CHECK_RAISES(PETSC_ERR_ARG_WRONG, HGGetTape(hg, &tape));
  CHECK_RAISES(PETSC_ERR_ARG_OUTOFRANGE, HGITDSetBlock(hg, -1));
  PetscCall(HGSolve(hg, k->lambda, &f, k->g));
  PetscCall(HGGetLLS(hg, &lls));
  PetscCall(LLSSetTolerances(lls, 1e-3, PETSC_DEFAULT, PETSC_DEFAULT)); /* t is no longer known */
  CHECK_RAISES(PETSC_ERR_SUP, HGSolve(hg, k->lambda, &f, k->g));
  PetscCall(HGITDSetTruncation(hg, 0));
  PetscCall(HGSolve(hg, k->lambda, &f, k->g));
  PetscCall(HGITDSetMode(hg, HG_ITD_REVERSE));
  PetscCall(HGGetTape(hg, &tape));
  PetscCall(HGSolve(hg, k->lambda, &f, k->expected));
  PetscReal difference;
  PetscCall(RelativeDifference(k->g, k->expected, &difference));
  CHECK(difference <= 1e-12, "the modes of one object differ by %g", difference);
  PetscCall(HGSetType(hg, HGAID));
  CHECK_RAISES(PETSC_ERR_ARG_WRONG, HGITDSetMode(hg, HG_ITD_FORWARD));
  CHECK_RAISES(PETSC_ERR_ARG_WRONG, HGITDGetMode(hg, &mode));
  CHECK_RAISES(PETSC_ERR_ARG_WRONG, HGITDSetBlock(hg, 1));
  PetscCall(HGDestroy(&hg));
  PetscFunctionReturn(0);
}

/* There is no adjoint to start an estimate from. */
static PetscErrorCode NoEstimate(Case *k)
{
  HGReport r;
  PetscReal f;

  PetscFunctionBegin;
  PetscCall(
      Compute(k, "-lls_max_it 12 -hg_certificate both -hg_itd_mode forward", PETSC_FALSE, &f, k->g, &r));
  CHECK(!r.estimate.standing && strstr(r.estimate.origin, "no adjoint"), "estimate: %s", r.estimate.origin);
  PetscReal forward = r.bound.value;
  PetscCall(Compute(k, "-lls_max_it 12 -hg_certificate both", PETSC_FALSE, &f, k->g, &r));
  CHECK(r.bound.standing && forward == r.bound.value, "bound %g forward, %g in reverse", forward,
        r.bound.value);
  PetscFunctionReturn(0);
}

int main(int argc, char **argv)
{
  const Synthetic plain = {.n = {13, 11, 0}, .p = 5, .c = 3, .density = 0.7, .seed = 1};
  Case k;

  PetscFunctionBeginUser;
  PetscCall(TestInitialize(&argc, &argv));
  PetscCall(AllTypes());
  PetscCall(CaseCreate(BLPSOFTMAX, &plain, FPMGD, &k));
  PetscCall(MemoryOf(&k));
  PetscCall(Refusals(&k));
  PetscCall(NoEstimate(&k));
  PetscCall(CaseDestroy(&k));
  PetscCall(TestFinalize());
  return 0;
}
