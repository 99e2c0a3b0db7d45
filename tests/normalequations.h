#ifndef TWOFOLD_TEST_NORMALEQUATIONS_H
#define TWOFOLD_TEST_NORMALEQUATIONS_H
/* cgnr beside PETSc's cgne: the same adjoints after a fixed number of steps, as many steps to a tolerance,
   and its products. */
#include "problem.h"

static inline PetscErrorCode NormalSolve(BLP blp, Vec lambda, const char ksp[], const char options[],
                                         HGReport *report, HG *hg, State *v)
{
  char text[512];
  PetscReal f;
  Vec g;

  PetscFunctionBegin;
  PetscCall(PetscSNPrintf(text, sizeof(text), "-hg_type aid -hg_ksp_type %s %s", ksp, options));
  PetscCall(HGMake(blp, NULL, text, hg));
  PetscCall(VecDuplicate(lambda, &g));
  PetscCall(HGSolve(*hg, lambda, &f, g));
  PetscCall(HGGetReport(*hg, report));
  PetscCall(HGGetAdjoint(*hg, v));
  PetscCall(VecDestroy(&g));
  PetscFunctionReturn(0);
}

/* With these options for both; `expected` products of cgnr, where not 0. */
static inline PetscErrorCode NormalPair(BLP blp, Vec lambda, const char options[], PetscInt expected)
{
  HGReport report[2];
  PetscReal difference, norm, d, x;
  HG hg[2];
  State v[2];

  PetscFunctionBegin;
  PetscCall(NormalSolve(blp, lambda, KSPCGNR, options, &report[0], &hg[0], &v[0]));
  PetscCall(NormalSolve(blp, lambda, KSPCGNE, options, &report[1], &hg[1], &v[1]));
  CHECK(report[0].adjoint_its == report[1].adjoint_its &&
            report[0].adjoint_reason == report[1].adjoint_reason,
        "%s: %d steps, %s, and cgne %d, %s", options, (int)report[0].adjoint_its,
        KSPConvergedReasons[report[0].adjoint_reason], (int)report[1].adjoint_its,
        KSPConvergedReasons[report[1].adjoint_reason]);
  CHECK(expected == 0 || report[0].adjoint_products == expected, "%s: %d products, not %d", options,
        (int)report[0].adjoint_products, (int)expected);
  difference = norm = 0;
  for (PetscInt i = 0; i < v[0]->n; i++) {
    PetscCall(VecNorm(v[1]->v[i], NORM_2, &x));
    PetscCall(VecAXPY(v[1]->v[i], -1, v[0]->v[i]));
    PetscCall(VecNorm(v[1]->v[i], NORM_2, &d));
    difference += d;
    norm += x;
  }
  CHECK(difference <= 1e-11 * norm, "%s: v differs by %g of %g", options, difference, norm);
  for (int i = 0; i < 2; i++) PetscCall(HGDestroy(&hg[i]));
  PetscFunctionReturn(0);
}

/* `common`: the lower level, and the adjoint's map. k steps make 2 k products, or 2 k + 1 with norms, and the
   residual that is reported is one more; so is a start's. */
static inline PetscErrorCode NormalEquations(BLP blp, Vec lambda, const char common[])
{
  const struct {
    const char *options;
    PetscInt products;
  } cases[] = {{"-hg_ksp_rtol 0 -hg_ksp_max_it 1", 3},
               {"-hg_ksp_rtol 0 -hg_ksp_max_it 5", 11},
               {"-hg_ksp_rtol 1e-30 -hg_ksp_max_it 5", 12},
               {"-hg_ksp_rtol 1e-4", 0}};
  char text[400];

  PetscFunctionBegin;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    PetscCall(PetscSNPrintf(text, sizeof(text), "%s %s", common, cases[i].options));
    PetscCall(NormalPair(blp, lambda, text, cases[i].products));
  }
  PetscFunctionReturn(0);
}

#endif
